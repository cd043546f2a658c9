"""The build of the kernel modules that a host installs instead of compiling its own: found, or not, or broken."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gpufleet.errors import GpufleetError
from gpufleet.facts.machine import HostMachine
from gpufleet.operations import precompiled
from gpufleet.precompiled import builds, incoming, repository
from gpufleet.precompiled.artifact import Artifact
from gpufleet.precompiled.key import ModuleKey
from gpufleet.precompiled.repository import Directory, Website
from gpufleet.stack.resolution import DriverChoice, Package
from roles.nvidia_driver.options import NvidiaDriver

#: Packages of builds, of whatever kernel: none but the wanted one may lie beside a driver.
BUILDS = "gpufleet-nvidia-modules-*"


@dataclass(frozen=True)
class Found:
    """A build that fits a host, and where its files and the key that signed it are."""

    artifact: Artifact
    repository: Directory | Website
    public_key: str


def find(options: NvidiaDriver, driver: DriverChoice, machine: HostMachine) -> Found | GpufleetError | None:
    """Look for the build that fits; a broken one is returned as its error, none leaves the host to DKMS."""
    key = wanted(options, driver, machine)
    if key is None:
        return None
    place = repository.of(options.precompiled.repository, incoming.default_repository())
    try:
        artifact = precompiled.lookup(place, key)
        public_key = options.precompiled.public_key or (place.public_key() if isinstance(place, Directory) else "")
    except GpufleetError as error:
        return error
    return Found(artifact, place, public_key) if artifact else None


def wanted(options: NvidiaDriver, driver: DriverChoice, machine: HostMachine) -> ModuleKey | None:
    """Return the build that a host wants; None where modules come from DKMS or from the distribution."""
    if options.modules != "precompiled" or builds.sources(driver) is None or not machine.hardware.kernel:
        return None
    system = machine.system
    return ModuleKey(system.release, system.arch, machine.hardware.kernel, driver.version, driver.flavor)


def instead_of_sources(driver: DriverChoice, found: Found | None) -> DriverChoice:
    """Put the build's package in the place of the one that compiles, or keep builds away from a host that compiles."""
    sources = builds.sources(driver)
    if found is None or sources is None:
        return replace(driver, unwanted=(*driver.unwanted, BUILDS))
    artifact = found.artifact
    file = f"{precompiled.STAGED}/{artifact.file}"
    package = Package("driver", artifact.package, artifact.version, "built once, on another host", file)
    return replace(
        driver,
        packages=(*builds.without_sources(driver), package),
        unwanted=(*driver.unwanted, sources.name, BUILDS),
    )
