"""Unit files as packages ship them, and as this suite put them beside or over those."""

from __future__ import annotations

import shlex

from pyinfra.api.facts import FactBase
from typing_extensions import override

#: First words of every unit file and drop-in written here.
MARK = "# Managed by gpufleet"


class ShippedUnit(FactBase[str]):
    """Text of a unit file below /usr/lib or /lib, empty where no package ships it."""

    default = str

    @override
    def command(self, unit: str) -> str:
        """Print the first that is there."""
        name = shlex.quote(unit)
        return f"cat /usr/lib/systemd/system/{name} 2>/dev/null || cat /lib/systemd/system/{name} 2>/dev/null || true"

    @override
    def process(self, output: list[str]) -> str:
        """Put the lines together again."""
        return "".join(f"{line}\n" for line in output)


class OwnUnitFiles(FactBase[list[str]]):
    """Files of a unit that were written from here: a whole unit file, drop-ins."""

    default = list

    @override
    def command(self, unit: str) -> str:
        """Tell our files from the administrator's by their first line."""
        path = f"/etc/systemd/system/{shlex.quote(unit)}"
        return f"grep -ls -m 1 '^{MARK}' {path} {path}.d/*.conf; true"

    @override
    def process(self, output: list[str]) -> list[str]:
        """One path a line."""
        return [line.strip() for line in output if line.strip()]
