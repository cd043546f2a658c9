"""Files for a container as one tar stream, with owners and modes of our choosing."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from gpufleet.lab.docker import docker


@dataclass(frozen=True)
class Entry:
    """One file: its path in the container, content, mode and owner."""

    path: str
    data: bytes
    mode: int = 0o644
    owner: int = 0
    group: int = 0


def tree(root: Path, target: str) -> list[Entry]:
    """All files below a directory of this package, to be placed below another in the container."""
    return [
        Entry(f"{target}/{path.relative_to(root)}", path.read_bytes(), 0o755 if os.access(path, os.X_OK) else 0o644)
        for path in sorted(root.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    ]


def digest(entries: Iterable[Entry]) -> str:
    """Hash over paths, modes and contents."""
    total = hashlib.sha256()
    for entry in entries:
        total.update(f"{entry.path} {entry.mode:o} {entry.owner} {len(entry.data)}\n".encode() + entry.data)
    return total.hexdigest()


def copy(entries: Iterable[Entry], container: str) -> None:
    """Write the files into a container, which need not run.

    Directories above them come out as root's, 0755; paths under a tmpfs of a running container would be lost.
    """
    buffer, now = io.BytesIO(), time.time()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for entry in entries:
            info = tarfile.TarInfo(entry.path.lstrip("/"))
            info.size, info.mode, info.uid, info.gid = len(entry.data), entry.mode, entry.owner, entry.group
            info.mtime = now
            archive.addfile(info, io.BytesIO(entry.data))
    docker("cp", "-", f"{container}:/", data=buffer.getvalue())
