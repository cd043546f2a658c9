"""The NVIDIA driver on a host: its daemon, and the proof that all its parts agree."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host

from gpufleet.errors import HostError
from gpufleet.facts.boot import RebootRequired
from gpufleet.facts.nvidia import Daemon, Daemons, DriverState
from gpufleet.facts.packages import InstalledVersions
from gpufleet.operations import failure
from gpufleet.stack.driver import LOADED, WantedDriver, disagreements

Commands = Generator[Any, None, None]

#: Key of the driver's reason to reboot.
REBOOT_KEY = "nvidia-driver"


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
    waits = host.get_fact(RebootRequired).get(REBOOT_KEY, "")
    wrong = disagreements(host.get_fact(DriverState, module=wanted.module), wanted, versions)
    # A reboot mends what is loaded, and nothing else.
    wrong = [place for place in wrong if not (waits and place.startswith(LOADED))]
    if not wrong:
        host.noop(f"reboot required: {waits}" if waits else f"all parts of the driver are {wanted.version}")
        return
    cure = "run again; if it stays, compare `dkms status`, `modinfo` and /proc/driver/nvidia/version on the host"
    yield failure(host.name, expected=f"driver {wanted.version} in every part", found=", ".join(wrong), cure=cure)


@operation()
def refused(errors: Sequence[HostError]) -> Commands:
    """
    Refuse this host with everything that speaks against it, one sentence a line, and let the others go on.

    + errors: what was expected and found, and the cure

    **Example:**

    .. code:: python

        nvidia.refused(name="Refuse the flavor", errors=[error])
    """
    *first, last = errors
    said = [StringCommand("printf", "'%s\\n'", QuoteString(str(error)), ">&2;") for error in first]
    yield StringCommand(*said, failure(last.where, expected=last.expected, found=last.found, cure=last.cure))


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
