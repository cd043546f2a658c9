"""Which builds a fleet needs, and on which host each is made: pure decisions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gpufleet.facts.machine import HostMachine
from gpufleet.precompiled.key import ModuleKey
from gpufleet.stack.resolution import DriverChoice, Package, Resolution
from gpufleet.stack.wish import Wish


@dataclass(frozen=True)
class Candidate:
    """A host with what is wanted of it and what was decided for it."""

    name: str
    wish: Wish
    machine: HostMachine
    resolution: Resolution


@dataclass(frozen=True)
class Build:
    """One build, the host that makes it, and all hosts that it fits."""

    key: ModuleKey
    builder: str
    hosts: tuple[str, ...]


def builds(candidates: Iterable[Candidate], there: Iterable[ModuleKey] = ()) -> tuple[Build, ...]:
    """Return the builds that are missing, each made by the first host that it fits."""
    fitting: dict[ModuleKey, list[str]] = defaultdict(list)
    for one in candidates:
        if key := key_for(one.wish, one.machine, one.resolution.driver):
            fitting[key].append(one.name)
    missing = sorted(fitting.keys() - set(there))
    return tuple(Build(key, fitting[key][0], tuple(fitting[key])) for key in missing)


def key_for(wish: Wish, machine: HostMachine, driver: DriverChoice | None) -> ModuleKey | None:
    """Return the build that a host needs; None where it wants none, or its distribution ships modules of its own."""
    kernel = wish.kernel or machine.hardware.kernel
    if wish.modules != "precompiled" or driver is None or not kernel or sources(driver) is None:
        return None
    return ModuleKey(machine.system.release, machine.system.arch, kernel, driver.version, driver.flavor)


def sources(driver: DriverChoice) -> Package | None:
    """Return the package that brings the module's sources to DKMS, None where the driver has none."""
    return next((package for package in driver.packages if "dkms" in package.name), None)


def without_sources(driver: DriverChoice) -> tuple[Package, ...]:
    """Return the driver's packages but the one that would compile the module on every host."""
    return tuple(package for package in driver.packages if package != sources(driver))


def by_builder(wanted: Sequence[Build]) -> Mapping[str, Build]:
    """Return the builds by the host that makes them; a host fits one build alone."""
    return {build.builder: build for build in wanted}
