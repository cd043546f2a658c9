"""The alternatives system: which of several versions a link under /etc/alternatives stands for."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from pyinfra.api.facts import FactBase
from typing_extensions import override

_POINTS = re.compile(r"\s+link currently points to (?P<path>/.*)")
_CHOICE = re.compile(r"(?P<path>/.*) - .*priority -?\d+")


@dataclass(frozen=True)
class Alternative:
    """One group: the path that its link leads to, whether somebody chose that path, and all paths on offer."""

    current: str = ""
    chosen: bool = False
    choices: tuple[str, ...] = ()


class AlternativeState(FactBase[Alternative]):
    """State of one group of alternatives; empty where there is none of this name."""

    default = Alternative

    @override
    def command(self, group: str) -> str:
        """Ask update-alternatives, which Debian and EL both have under this name."""
        return f"LC_ALL=C update-alternatives --display {shlex.quote(group)} 2>/dev/null || true"

    @override
    def process(self, output: list[str]) -> Alternative:
        """Parse `cuda - manual mode` (Debian) or `cuda - status is manual.` (EL), and the lines below it."""
        head = output[0] if output else ""
        points = [match["path"] for line in output if (match := _POINTS.fullmatch(line.rstrip()))]
        choices = [match["path"] for line in output if (match := _CHOICE.fullmatch(line.strip()))]
        return Alternative(points[0] if points else "", "manual" in head.partition(" - ")[2], tuple(choices))
