"""What the dynamic linker finds, and whether its cache is older than what it was made from."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from pyinfra.api.facts import FactBase
from typing_extensions import override

_LIBRARY = re.compile(r"\s*(?P<name>\S+) \(.*\) => (?P<path>/.*)")


class StaleLinkerCache(FactBase[list[str]]):
    """Files, folders and links that changed after the linker's cache was made."""

    default = list

    @override
    def command(self, links: Sequence[str] = ()) -> str:
        """Compare the times of the configuration, and of links that lead to folders in it."""
        places = shlex.join(["/etc/ld.so.conf", "/etc/ld.so.conf.d", *links])
        return f"find {places} -newer /etc/ld.so.cache 2>/dev/null || true"

    @override
    def process(self, output: list[str]) -> list[str]:
        """Take the paths."""
        return sorted(line.strip() for line in output if line.strip())


class Libraries(FactBase[dict[str, str]]):
    """File that the linker loads for each of these library names; the first in its cache counts."""

    default = dict

    @override
    def command(self, names: Sequence[str]) -> str:
        """Print the cache's lines, links followed to their ends."""
        pattern = rf"^\s+({'|'.join(re.escape(name) for name in names)}) "
        return (
            f"ldconfig -p | grep -E {shlex.quote(pattern)} | while read -r name rest; do "
            'echo "$name (x) => $(readlink -f "${rest##*=> }")"; done; true'
        )

    @override
    def process(self, output: list[str]) -> dict[str, str]:
        """Parse `libcudart.so.12 (x) => /usr/local/cuda-12.9/lib64/libcudart.so.12.9.79`."""
        rows = [match for line in output if (match := _LIBRARY.fullmatch(line.rstrip()))]
        return {match["name"]: match["path"] for match in reversed(rows)}
