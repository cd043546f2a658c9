"""Which driver a host gets, or why it gets none: the resolver's answer beside what this role alone knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gpufleet.errors import GpufleetError, HostError
from gpufleet.facts.machine import HostMachine
from gpufleet.precompiled import builds
from gpufleet.precompiled.key import ModuleKey
from gpufleet.stack.driver import WantedDriver
from gpufleet.stack.driver_change import companions
from gpufleet.stack.machine import System
from gpufleet.stack.matrix import load
from gpufleet.stack.resolution import DriverChoice, Package, Repository, Resolution
from gpufleet.stack.verdicts import Verdict
from gpufleet.stack.versions import upstream
from roles.nvidia_driver import artifact
from roles.nvidia_driver.artifact import Found
from roles.nvidia_driver.options import NvidiaDriver

#: NVIDIA's repository of drivers in the matrix.
REPOSITORY = "cuda"


@dataclass(frozen=True)
class Choice:
    """The driver for one host, and what belongs to it."""

    driver: DriverChoice
    wanted: WantedDriver
    system: System
    #: What must have the driver's version wherever it is installed.
    companions: tuple[Package, ...] = ()
    #: Where NVIDIA's packages come from; None for the distribution's.
    repository: Repository | None = None
    #: The build of the modules that is installed instead of compiling; or the one that is wanted and not there.
    build: Found | None = None
    missing_build: ModuleKey | None = None
    #: Why a build that is there cannot be taken.
    broken_build: GpufleetError | None = None

    @property
    def version(self) -> str:
        """Upstream version of the driver."""
        return self.driver.version

    @property
    def names(self) -> list[str]:
        """Packages that have the driver's version."""
        return [package.name for package in self.driver.packages if package.version]

    @property
    def locked(self) -> list[str]:
        """Packages of repositories that have the driver's version: a lock tells the package manager which to take."""
        return [package.name for package in self.driver.packages if package.version and not package.file]


def choose(options: NvidiaDriver, resolution: Resolution, found: HostMachine) -> Choice | None:
    """Return the driver that was resolved for a host; None where there is to be none."""
    if resolution.driver is None:
        return None
    driver = _short(resolution.driver)
    build = artifact.find(options, driver, found)
    usable = build if isinstance(build, Found) else None
    given = {**resolution.module_options, **{name: str(value) for name, value in options.module_options.items()}}
    repository = next((row for row in resolution.repositories if row.name == REPOSITORY), None)
    return Choice(
        driver=artifact.instead_of_sources(driver, usable),
        wanted=WantedDriver(driver.version, driver.flavor, driver.module, given),
        system=found.system,
        companions=companions(driver, found.system, load()),
        repository=repository if driver.source == "nvidia" else None,
        build=usable,
        missing_build=artifact.wanted(options, driver, found) if build is None else None,
        broken_build=build if isinstance(build, GpufleetError) else None,
    )


def refusals(host: str, options: NvidiaDriver, resolution: Resolution) -> list[HostError]:
    """Return every reason not to touch this host."""
    if options.version is None:
        where, cure = f"{host}: nvidia_driver.version", "name one, such as 580 or 580.95.05"
        return [HostError(where, expected="a version", found="none", cure=cure)]
    return [_refusal(host, verdict) for verdict in resolution.errors]


def unpinned(host: str, choice: Choice | None) -> HostError | None:
    """Refuse a repository whose key nobody has vouched for."""
    if choice is None or choice.repository is None or choice.repository.fingerprint:
        return None
    return HostError(
        f"{host}: stack.repositories.{REPOSITORY}.key_fingerprint",
        expected=f"the fingerprint of {choice.repository.key}, forty hexadecimal digits",
        found="none in the matrix",
        cure="read the key's fingerprint where you trust it, and name it there",
    )


def runfile(host: str, traces: Sequence[str]) -> HostError | None:
    """Refuse a host with a driver that NVIDIA's installer put there: packages would overwrite its files in part."""
    if not traces:
        return None
    return HostError(
        f"{host}: NVIDIA's runfile installer",
        expected="no driver that belongs to no package",
        found=", ".join(traces),
        cure="run `nvidia-uninstall --silent`, remove /var/log/nvidia-installer.log, then run again",
    )


def broken(host: str, choice: Choice | None) -> HostError | None:
    """Refuse a host whose build is there and not whole."""
    if choice is None or choice.broken_build is None:
        return None
    error = choice.broken_build
    return HostError(f"{host}: {error.where}", expected=error.expected, found=error.found, cure=error.cure)


def unsigned(host: str, state: str, options: NvidiaDriver, choice: Choice | None) -> HostError | None:
    """Refuse to install modules that Secure Boot would not load, and name the three ways out."""
    compiles = choice is None or (choice.build is None and builds.sources(choice.driver) is not None)
    if state != "enabled" or (compiles and options.secure_boot.mok_key):
        return None
    if not compiles and (choice is None or choice.build is None or _signed_by_the_key(choice.build, options)):
        return None
    return HostError(
        f"{host}: Secure Boot",
        expected="signed kernel modules",
        found="modules that DKMS would build without a key that the firmware knows"
        if compiles
        else "a build of the modules that nobody signed with the key of nvidia_driver.secure_boot",
        cure="enroll a machine owner key (`mokutil --import`) and name it in nvidia_driver.secure_boot, or install "
        "signed modules (nvidia_driver.modules: precompiled), or switch Secure Boot off in the firmware",
    )


def _signed_by_the_key(build: Found, options: NvidiaDriver) -> bool:
    """Tell whether the key that signed is the one whose enrollment this role proves."""
    pair = options.secure_boot.pair()
    return pair is not None and build.artifact.signer == pair.signer


def _refusal(host: str, verdict: Verdict) -> HostError:
    cure = f"{verdict.cure} (row {verdict.row}; {verdict.source})"
    return HostError(f"{host}: {verdict.where}", expected=verdict.expected, found=verdict.found, cure=cure)


def _short(driver: DriverChoice) -> DriverChoice:
    """Take the revision off a version where packages come from several sources: each has revisions of its own."""
    if len(driver.source_packages) < 2:
        return driver
    cut = (
        replace(package, version=upstream(package.version) if package.version else "") for package in driver.packages
    )
    return replace(driver, packages=tuple(cut))
