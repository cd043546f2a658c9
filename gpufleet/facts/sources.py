"""The apt archives a host names, in either format, and which components of Debian's are switched on."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from pyinfra.api.facts import FactBase
from typing_extensions import override

#: The archive is Debian's when its path says so: .../debian, .../debian-security, a mirror list named after them.
_DEBIAN_URI = re.compile(r"(^|/)debian(-security)?(\.list)?(/|$)")
_ONE_LINE = re.compile(
    r"^(?P<head>\s*deb(?:-src)?\s+(?:\[[^\]]*\]\s+)?(?P<uri>\S+)\s+\S+\s+)(?P<names>[^#\n]*)(?P<tail>.*)$"
)
_FIELD = re.compile(r"^(?P<name>[A-Za-z-]+):(?P<value>.*)$")


class SourcesFiles(FactBase[dict[str, str]]):
    """Text of every file that names apt archives, by path."""

    default = dict

    @override
    def command(self) -> str:
        """Print each line after its file name."""
        return (
            "grep -sH '' /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources || true"
        )

    @override
    def process(self, output: list[str]) -> dict[str, str]:
        """Put the lines of each file together again."""
        files: dict[str, str] = {}
        for path, _, line in (row.partition(":") for row in output):
            files[path] = files.get(path, "") + line + "\n"
        return files


class SourcesComponents(SourcesFiles):
    """Components switched on for Debian's archive, by file; files without entries of Debian's are left out."""


def _append(names: Sequence[str], wanted: Sequence[str]) -> list[str]:
    return [*names, *(name for name in wanted if name not in names)]
