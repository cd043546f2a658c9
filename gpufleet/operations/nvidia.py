"""The NVIDIA driver on a host: packages of one source at one version, daemons, and the proof that all parts agree."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from pyinfra.api.command import StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host

from gpufleet.errors import HostError
from gpufleet.facts.apt import HeldPackages, InstalledFromSource, InstalledVersions
from gpufleet.facts.boot import RebootRequired
from gpufleet.facts.nvidia import Daemon, Daemons, DriverState
from gpufleet.operations import apt, failure
from gpufleet.stack.driver import WantedDriver, disagreements

Commands = Generator[Any, None, None]

#: Key of the driver's reason to reboot.
REBOOT_KEY = "nvidia-driver"


@operation()
def packages(packages: Sequence[str], source: str, version: str, timeout: int = 2400) -> Commands:
    """
    Bring packages, and all others installed from the same source, to one exact version.

    + packages: names that must be there
    + source: source package whose other installed packages go along
    + version: upstream version, or a full package version
    + timeout: seconds after which the installation is stopped on the host

    **Example:**

    .. code:: python

        nvidia.packages(["nvidia-smi"], source="nvidia-graphics-drivers", version="535.261.03", name="Install ...")
    """
    siblings = host.get_fact(InstalledFromSource, source=source)
    yield from apt.exact._inner(packages=sorted({*packages, *siblings}), version=version, timeout=timeout)


@operation()
def daemon_installed(package: str, timeout: int = 2400) -> Commands:
    """
    Install a daemon of the driver where it is missing, in the version that apt prefers.

    + package: name
    + timeout: seconds after which the installation is stopped on the host

    **Example:**

    .. code:: python

        nvidia.daemon_installed(name="Install the persistence daemon", package="nvidia-persistenced")
    """
    installed = host.get_fact(InstalledVersions, packages=[package])
    # Want it and have it, in whatever version?
    if package in installed:
        host.noop(f"package {package} is installed ({installed[package]})")
        return
    yield from apt.exact._inner(packages=[package], timeout=timeout)


@operation()
def held(packages: Sequence[str], sources: Sequence[str]) -> Commands:
    """
    Hold packages and everything installed from these sources.

    + packages: names to hold in any case
    + sources: source packages

    **Example:**

    .. code:: python

        nvidia.held(["nvidia-persistenced"], sources=["nvidia-graphics-drivers"], name="Hold the driver")
    """
    siblings = {name for source in sources for name in host.get_fact(InstalledFromSource, source=source)}
    yield from apt.hold._inner(packages=sorted({*packages, *siblings}))


@operation()
def removed(packages: Sequence[str], sources: Sequence[str]) -> Commands:
    """
    Purge packages and everything installed from these sources, and take them off hold.

    + packages: names to purge in any case
    + sources: source packages

    **Example:**

    .. code:: python

        nvidia.removed(["nvidia-persistenced"], sources=["nvidia-graphics-drivers"], name="Purge the driver")
    """
    siblings = {name for source in sources for name in host.get_fact(InstalledFromSource, source=source)}
    everything = sorted({*packages, *siblings})
    let_go = sorted(host.get_fact(HeldPackages) & set(everything))
    if let_go:
        yield from apt.hold._inner(packages=let_go, present=False)
    yield from apt.removed._inner(packages=everything, purge=True)


@operation()
def persistence(running: bool = True) -> Commands:
    """
    Run the persistence daemon now and at boot, or neither.

    A daemon that cannot start, because the loaded module waits for a reboot, is enabled only.

    + running: whether it is to run

    **Example:**

    .. code:: python

        nvidia.persistence(name="Run the persistence daemon", running=True)
    """
    daemon = host.get_fact(Daemons).get("nvidia-persistenced", Daemon(active=False, enabled=False, pid=0))
    waits = REBOOT_KEY in host.get_fact(RebootRequired)
    # Want it so and have it so?
    if daemon.enabled == running and (daemon.active == running or (running and waits)):
        host.noop(f"nvidia-persistenced is {'enabled' if running else 'disabled'}")
        return
    verb = ["enable" if running else "disable"] + ([] if waits and running else ["--now"])
    yield StringCommand("systemctl", *verb, "nvidia-persistenced.service")


@operation()
def agreed(wanted: WantedDriver, packages: Sequence[str]) -> Commands:
    """
    Fail unless loaded module, module on disk, userspace and packages are one version, or a reboot is recorded.

    + wanted: the driver the host should run
    + packages: packages that carry the version

    **Example:**

    .. code:: python

        nvidia.agreed(name="Prove that all parts of the driver agree", wanted=wanted, packages=["nvidia-smi"])
    """
    # The plan cannot know: the steps before this one have not run.
    if not host.state.is_executing:
        host.noop("the parts of the driver are compared after the other steps")
        return
    installed = host.get_fact(InstalledVersions, packages=packages)
    versions = {name: installed.get(name, "") for name in packages}
    wrong = disagreements(host.get_fact(DriverState, module=wanted.module), wanted, versions)
    waits = host.get_fact(RebootRequired).get(REBOOT_KEY)
    if not wrong or waits:
        host.noop(f"reboot required: {waits}" if waits else f"all parts of the driver are {wanted.version}")
        return
    cure = "run again; if it stays, compare `dkms status`, `modinfo` and /proc/driver/nvidia/version on the host"
    yield failure(host.name, expected=f"driver {wanted.version} in every part", found=", ".join(wrong), cure=cure)


@operation()
def refused(error: HostError) -> Commands:
    """
    Refuse this host with an error, and let the others go on.

    + error: what was expected and found, and the cure

    **Example:**

    .. code:: python

        nvidia.refused(name="Refuse the flavor", error=error)
    """
    yield failure(error.where, expected=error.expected, found=error.found, cure=error.cure)


@operation()
def left_alone(why: str) -> Commands:
    """
    Do nothing, and say why.

    + why: the reason

    **Example:**

    .. code:: python

        nvidia.left_alone(name="No NVIDIA GPU", why="no NVIDIA GPU on the PCI bus")
    """
    host.noop(why)
    yield from ()
