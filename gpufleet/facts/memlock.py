"""How much memory services may lock: what systemd would give them, and what their processes really have."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from pyinfra.api.facts import FactBase
from typing_extensions import override

UNLIMITED = "unlimited"


@dataclass(frozen=True)
class Memlock:
    """Limits in bytes or `unlimited`; `pid` is 0 and `running` empty for a service that does not run."""

    configured: str
    pid: int = 0
    running: str = ""


class ServiceMemlock(FactBase[dict[str, Memlock]]):
    """Limit of each of these services, without those that do not exist."""

    default = dict

    @override
    def command(self, units: Sequence[str]) -> str:
        """Ask systemd, and the kernel about the main process."""
        return (
            f"for u in {shlex.join(units)}; do "
            'show() { systemctl show --property="$1" --value "$u"; }; '
            '[ "$(show LoadState)" = loaded ] || continue; p=$(show MainPID); '
            "r=$(sed -n 's/^Max locked memory *\\([^ ]*\\) .*/\\1/p' \"/proc/$p/limits\" 2>/dev/null); "
            'echo "$u $(show LimitMEMLOCK) $p $r"; done; true'
        )

    @override
    def process(self, output: list[str]) -> dict[str, Memlock]:
        """Parse `containerd.service infinity 812 unlimited`; the last is missing where nothing runs."""
        rows = (line.split() for line in output)
        return {unit: Memlock(_limit(limit), int(pid), *real) for unit, limit, pid, *real in rows}


def _limit(text: str) -> str:
    return UNLIMITED if text == "infinity" else text
