"""Mounts that put emulated folders and files where tools look for the kernel's own."""

from __future__ import annotations

import subprocess
from pathlib import Path

from . import paths


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


def cover(folder: Path) -> None:
    """Cover a folder of /proc or /sys by an empty one in memory; a missing folder is made in a writable layer."""
    if not folder.is_dir():
        above = next(parent for parent in folder.parents if parent.is_dir())
        overlay(above)
        folder.mkdir(parents=True)
    _mount("-t", "tmpfs", "-o", "mode=755,size=16m", "gpufleet-lab", str(folder))


def overlay(folder: Path) -> None:
    """Make a folder of sysfs writable: the writes go to a layer in memory and never reach the machine below."""
    layers = paths.STATE / "layers" / "-".join(folder.relative_to(paths.ROOT).parts)
    for name in ("upper", "work"):
        (layers / name).mkdir(parents=True, exist_ok=True)
    options = f"lowerdir={folder},upperdir={layers / 'upper'},workdir={layers / 'work'}"
    _mount("-t", "overlay", "-o", options, "gpufleet-lab", str(folder))


def replace(path: Path, content: str) -> None:
    """Show other content in one file of /proc."""
    stand_in = paths.STATE / "files" / path.name
    paths.put(stand_in, content)
    _mount("--bind", str(stand_in), str(path))


def show(folder: Path, place: Path) -> None:
    """Show a folder of the host at a place of /sys, below which nothing else is."""
    if not place.is_dir():
        cover(place.parents[1])
        place.mkdir(parents=True)
    _mount("--bind", str(folder), str(place))
