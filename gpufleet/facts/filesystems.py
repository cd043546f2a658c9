"""File systems by the directories that lie on them."""

from __future__ import annotations

import shlex

from pyinfra.api.facts import FactBase
from typing_extensions import override


class MountPoint(FactBase[str]):
    """Where the file system is mounted that a directory lies on, or will lie on once it is made."""

    default = str

    @override
    def command(self, directory: str) -> str:
        """Ask about the nearest directory that is there."""
        path = shlex.quote(directory)
        return (
            f'p={path}; while [ ! -e "$p" ]; do p=$(dirname "$p"); done; findmnt --noheadings -o TARGET --target "$p"'
        )

    @override
    def process(self, output: list[str]) -> str:
        """One line."""
        return output[0].strip() if output else ""
