"""From the driver packages a host has to those it shall have: what to install and what to remove, in one go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gpufleet.stack import driver_names, versions
from gpufleet.stack.machine import System
from gpufleet.stack.matrix import Matrix
from gpufleet.stack.resolution import DriverChoice, Package


@dataclass(frozen=True)
class Change:
    """One transaction. `along` goes to the new version too where the repositories have it, and else goes away."""

    install: Mapping[str, str | None] = field(default_factory=dict)
    along: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()

    @property
    def needed(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.install or self.along or self.remove)


def change(driver: DriverChoice, companions: Iterable[Package], installed: Mapping[str, str]) -> Change:
    """Compare; companions are those that must follow the driver to its version, under their new names."""
    listed = [*driver.packages, *companions]
    wanted: dict[str, str | None] = {package.name: package.version or None for package in listed}
    remove = leaving(driver, wanted, installed)
    follow = driver_names.of_driver(installed) - wanted.keys() - remove
    along = tuple(sorted(name for name in follow if _stays_behind(name, driver, installed)))
    if not (remove or along or any(_unmet(name, version, installed) for name, version in wanted.items())):
        return Change()
    return Change(wanted, along, tuple(sorted(remove)))


def leaving(driver: DriverChoice, wanted: Iterable[str], installed: Mapping[str, str]) -> set[str]:
    """Return installed packages that must not lie beside the wanted ones: another flavor, branch or packager."""
    names = set(wanted)
    strangers = driver_names.of_other_branches(installed, names, driver.version)
    strangers |= driver_names.of_other_packager(installed, names)
    strangers |= driver_names.of_other_flavor(installed, driver.flavor)
    return (driver_names.matching(installed, driver.unwanted) | strangers) - names


def following(installed: Mapping[str, str], offered: Iterable[Package]) -> tuple[Package, ...]:
    """Return the companions that go along: those of a kind that is installed, by the names they have now."""
    kinds = set(driver_names.companions(installed).values())
    return tuple(package for package in offered if package.component in kinds)


def _stays_behind(name: str, driver: DriverChoice, installed: Mapping[str, str]) -> bool:
    return not name.startswith(driver_names.PINNING) and versions.upstream(installed[name]) != driver.version


def _unmet(name: str, version: str | None, installed: Mapping[str, str]) -> bool:
    return name not in installed or not versions.matches(version or installed[name], installed[name])


def companions(driver: DriverChoice, system: System, matrix: Matrix) -> tuple[Package, ...]:
    """Return what must have the driver's version wherever it is installed, by the names of this branch."""
    packaging = "rpm" if system.family == "el" else "deb"
    return tuple(
        Package(row.component, row.name.replace("{branch}", str(driver.branch)), driver.version, "follows the driver")
        for row in matrix.companions
        if row.packaging == packaging
        and driver.branch in row.branches
        and row.version == "driver"
        and system.arch in row.architectures
    )
