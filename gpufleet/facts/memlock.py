"""How much memory services may lock: what systemd would give them, and what their processes really have."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pyinfra.api.facts import FactBase
from typing_extensions import override

UNLIMITED = "unlimited"
_REAL = re.compile(r"/proc/(?P<pid>\d+)/limits:Max locked memory +(?P<limit>\S+) ")


@dataclass(frozen=True)
class Memlock:
    """Limits in bytes or `unlimited`; `pid` is 0 and `running` empty for a service that does not run."""

    configured: str
    pid: int = 0
    running: str = ""


class ServiceMemlock(FactBase[dict[str, Memlock]]):
    """Limit of each of these services, without those that do not exist; `*.service` stands for all."""

    default = dict

    @override
    def command(self, units: Sequence[str]) -> str:
        """Ask systemd once, and the kernel about every process."""
        return (
            f"systemctl show --property=Id,LoadState,LimitMEMLOCK,MainPID {shlex.join(units)}; echo; "
            "grep -s '^Max locked memory' /proc/[0-9]*/limits; true"
        )

    @override
    def process(self, output: Iterable[str]) -> dict[str, Memlock]:
        """Parse blocks of properties, and `/proc/812/limits:Max locked memory  unlimited  unlimited  bytes`."""
        lines = [line.strip() for line in output]
        real = {match["pid"]: match["limit"] for line in lines if (match := _REAL.match(line))}
        blocks = "\n".join(line for line in lines if not _REAL.match(line)).split("\n\n")
        units = [dict(line.split("=", 1) for line in block.splitlines() if "=" in line) for block in blocks]
        return {
            unit["Id"]: Memlock(_limit(unit["LimitMEMLOCK"]), int(unit["MainPID"]), real.get(unit["MainPID"], ""))
            for unit in units
            if unit.get("LoadState") == "loaded"
        }


def _limit(text: str) -> str:
    return UNLIMITED if text == "infinity" else text
