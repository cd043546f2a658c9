"""Unit files as packages ship them, whatever the administrator put beside or over them."""

from __future__ import annotations

import shlex

from pyinfra.api.facts import FactBase
from typing_extensions import override


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
