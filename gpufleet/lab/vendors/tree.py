"""The folder that the lab's archive serves: one folder per vendor, swapped whole when its content changes."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from gpufleet.lab import state
from gpufleet.project import cache_dir


def home() -> Path:
    """Directory of everything that is built for the archive, and of the key."""
    return cache_dir().absolute() / "vendors"


def root() -> Path:
    """Folder whose `nvidia`, `mellanox`, `el` and `ubuntu` the archive serves under the same names."""
    return home() / "tree"


def digest(folder: Path, *more: str) -> str:
    """Hash of all files below a folder and of further texts: what a build is made of."""
    total = hashlib.sha256("\0".join(more).encode())
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            total.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes())
    return total.hexdigest()[:16]


def publish(name: str, content: str, fill: Callable[[Path], None]) -> Path:
    """Build a folder with `fill` unless one of that content hash is there, and serve it; returns the served folder."""
    built, served = home() / "built" / f"{name}-{content}", root() / name
    with state.locked(home() / f"{name}.lock"):
        if not built.is_dir():
            partial = built.with_suffix(".part")
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
            fill(partial)
            partial.replace(built)
        if not (served.is_symlink() and served.resolve() == built.resolve()):
            switch(served, built)
    return served


def switch(served: Path, built: Path) -> None:
    """Let the archive serve another build at once, and forget older ones."""
    served.parent.mkdir(parents=True, exist_ok=True)
    fresh = served.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(os.path.relpath(built, served.parent))
    fresh.replace(served)
    for path in built.parent.glob(f"{served.name}-*"):
        if path != built:
            shutil.rmtree(path, ignore_errors=True)
