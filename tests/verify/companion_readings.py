"""What the checks of the driver's companions ask a host, and how they read its answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gpufleet.facts.boot import RebootRequired
from gpufleet.facts.packages import InstalledVersions
from gpufleet.facts.unit_files import OwnUnitFiles
from gpufleet.health import Probe
from gpufleet.operations.nvidia import REBOOT_KEY
from gpufleet.stack import driver_names
from gpufleet.stack.host.resolved import resolved
from gpufleet.stack.resolution import Component, Package, Resolution
from tests.verify.cuda_readings import SHARED, Record, machine, not_held, specs, wrong_versions

Declared = Callable[[Any], Any]

PROBE = {
    **SHARED,
    "loaded": "cat /sys/module/nvidia/version 2>/dev/null; true",
    "modules": "ls /sys/module",
    "reboot": RebootRequired().command(),
}
_PROPERTIES = "LoadState,ActiveState,UnitFileState,After,Before"


def unit_probe(unit: str) -> dict[str, str]:
    """What is asked about one unit."""
    return {
        f"unit {unit}": f"systemctl show --property={_PROPERTIES} {unit}",
        f"own files {unit}": OwnUnitFiles().command(unit),
    }


@dataclass(frozen=True)
class Companion:
    """A role that lives beside the driver: what the inventory asks for, and what the host answered."""

    probe: Probe
    #: What the driver's companions are on this host; None where the host's data have no key of the role.
    chosen: Resolution | None
    parts: Sequence[Component]

    @classmethod
    def read(cls, probe: Probe, declared: Declared, key: str, *parts: Component) -> Companion:
        """Read the inventory's record and resolve it on this machine."""
        record = declared(Record)
        given = record.data.get(key) is not None
        return cls(probe, resolved(record, machine(probe), record.folder) if given else None, parts)

    @property
    def wanted(self) -> tuple[Package, ...]:
        """Packages that the host is to have."""
        return self.chosen.of(*self.parts) if self.chosen else ()

    @property
    def loaded(self) -> str:
        """Version of the loaded module."""
        return self.probe["loaded"].text

    @property
    def waits(self) -> str:
        """What the driver waits for a reboot for."""
        return RebootRequired().process(self.probe["reboot"].lines).get(REBOOT_KEY, "")

    def says_what_does_not_fit(self) -> str:
        """The resolver's errors, if any."""
        return "; ".join(map(str, self.chosen.errors)) if self.chosen else ""

    def says_versions(self) -> str:
        """What is expected and found of packages, nothing where they agree."""
        wrong = wrong_versions(self.probe, self.wanted)
        found = ", ".join(f"{name} {version or 'not installed'}" for name, version in wrong.items())
        return f"expected {specs(self.wanted)}, found {found}" if wrong else ""

    def says_holds(self) -> str:
        """Which packages an upgrade would move; those with versions of their own may go."""
        loose = not_held(self.probe, (package for package in self.wanted if package.version))
        return f"expected all held, found {', '.join(loose)} not held" if loose else ""

    def unit(self, unit: str) -> Mapping[str, str]:
        """Properties of a unit."""
        rows = (line.partition("=")[::2] for line in self.probe[f"unit {unit}"].lines)
        return dict(rows)

    def says_unit(self, unit: str, expected: str) -> str:
        """What is expected and found of a unit: `active and enabled`, `inactive and masked` and the like."""
        found = self.unit(unit)
        active = "active" if found["ActiveState"] == "active" else "inactive"
        file = found["UnitFileState"] or "disabled"
        why = f" ({found['ActiveState']})" if found["ActiveState"] not in ("active", "inactive") else ""
        state = f"{active} and {file}"
        wait = f"; it waits for a reboot: {self.waits}" if self.waits else ""
        return "" if state == expected else f"expected {expected}, found {state}{why}{wait}"

    def says_order(self, unit: str, after: Iterable[str], before: Iterable[str], never: Iterable[str] = ()) -> str:
        """What is missing of a unit's order at boot, and what should not be in it."""
        found = {name: set(self.unit(unit)[name].split()) for name in ("After", "Before")}
        missing = [f"After={name}" for name in after if name not in found["After"]]
        missing += [f"Before={name}" for name in before if name not in found["Before"]]
        extra = [f"After={name}" for name in never if name in found["After"]]
        said = [f"no {name}" for name in missing] + extra
        return f"expected it after the driver and before its users, found {', '.join(said)}" if said else ""

    def says_modules(self, modules: Iterable[str]) -> str:
        """Which modules are not loaded."""
        loaded = self.probe["modules"].lines
        missing = [module for module in modules if module not in loaded]
        return f"expected them loaded, found no {', '.join(missing)}" if missing else ""

    def says_leftovers(self, unit: str, patterns: Sequence[str] = ()) -> str:
        """What is there on a host that is to have nothing of it."""
        if self.chosen is None or self.wanted or self.chosen.errors:
            return ""
        installed = InstalledVersions().process(self.probe["packages"].lines)
        kinds = driver_names.companions(installed)
        found = sorted({name for name, part in kinds.items() if part in self.parts})
        found += sorted(driver_names.matching(installed, patterns))
        found += OwnUnitFiles().process(self.probe[f"own files {unit}"].lines)
        found += [f"{unit} masked"] if self.unit(unit)["LoadState"] == "masked" else []
        return f"expected nothing of it, found {', '.join(found)}" if found else ""


def version_in(text: str) -> str:
    """The version that a daemon prints of itself: `Fabric Manager version is : 580.95.05`."""
    match = re.search(r"\d+(\.\d+)+", text)
    return match[0] if match else ""
