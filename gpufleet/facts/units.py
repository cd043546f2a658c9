"""What systemd says: the state of units, and the limits its manager gives to services."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pyinfra.api.facts import FactBase
from typing_extensions import override


@dataclass(frozen=True)
class UnitState:
    """How systemd sees one unit, in its own words; `not-found` and `masked` are load states."""

    load: str = "not-found"
    active: str = "inactive"
    file: str = ""

    @property
    def is_masked(self) -> bool:
        """Whether nothing can start the unit."""
        return self.load == "masked"

    @property
    def is_running(self) -> bool:
        """Whether the unit runs or is about to."""
        return self.active in ("active", "activating", "reloading")

    @property
    def is_enabled(self) -> bool:
        """Whether something starts the unit at boot."""
        return self.file in ("enabled", "static", "alias", "generated")


class UnitStates(FactBase[dict[str, UnitState]]):
    """State of each of these units; one that does not exist is `not-found`."""

    default = dict

    @override
    def command(self, units: Sequence[str]) -> str:
        """Ask systemd about all of them at once; units print in the order they were asked for."""
        return f"systemctl show --property=Id,LoadState,ActiveState,UnitFileState {shlex.join(units)}"

    @override
    def process(self, output: Iterable[str]) -> dict[str, UnitState]:
        """Parse one block of properties per unit, blank lines between them."""
        blocks = "\n".join(output).split("\n\n")
        units = [dict(line.split("=", 1) for line in block.splitlines() if "=" in line) for block in blocks]
        return {u["Id"]: UnitState(u["LoadState"], u["ActiveState"], u.get("UnitFileState", "")) for u in units}


class ManagerProperties(FactBase[dict[str, str]]):
    """Properties of systemd itself, such as `DefaultLimitMEMLOCK`: what it has read, whatever its files say now."""

    default = dict

    @override
    def command(self, names: Sequence[str]) -> str:
        """Ask the manager."""
        return f"systemctl show --property={','.join(names)}"

    @override
    def process(self, output: Iterable[str]) -> dict[str, str]:
        """Parse `DefaultLimitMEMLOCK=infinity`."""
        return dict(line.split("=", 1) for line in output if "=" in line)
