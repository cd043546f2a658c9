"""Kernel settings below /proc/sys as they are in force."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

from pyinfra.api.facts import FactBase
from typing_extensions import override


def key_path(key: str) -> str:
    """Return where a key lives: `vm.swappiness` is `/proc/sys/vm/swappiness`; a slash stands for a dot in a name."""
    return "/proc/sys/" + key.translate(str.maketrans("./", "/."))


class SysctlValues(FactBase[dict[str, str]]):
    """Value of each of these keys, blanks normalized; a key that this kernel does not have is left out."""

    default = dict

    @override
    def command(self, keys: Sequence[str]) -> str:
        """Read the files themselves: a key that cannot be read has the empty value."""
        paths = shlex.join(f"{key}={key_path(key)}" for key in keys)
        return (
            f'for k in {paths}; do [ -e "${{k#*=}}" ] || continue; '
            'echo "${k%%=*} $(cat "${k#*=}" 2>/dev/null)"; done; true'
        )

    @override
    def process(self, output: Iterable[str]) -> dict[str, str]:
        """Parse `net.ipv4.tcp_rmem 4096<TAB>131072<TAB>6291456`."""
        rows = [line.split() for line in output]
        return {row[0]: " ".join(row[1:]) for row in rows if row}
