"""The steps of the role `nvidia_driver`, in the order in which they run."""

from __future__ import annotations

from pyinfra.api.deploy import deploy
from pyinfra.context import host

from gpufleet.errors import HostError
from gpufleet.facts.nvidia import RunfileTraces
from gpufleet.facts.secure_boot import SecureBoot
from gpufleet.operations import nvidia
from gpufleet.stack.host.resolved import machine, resolution
from roles.nvidia_driver.choice import Choice, broken, choose, refusals, runfile, unpinned, unsigned
from roles.nvidia_driver.module import prepare_module, prove_key, provide_module
from roles.nvidia_driver.options import NvidiaDriver
from roles.nvidia_driver.removal import remove_driver
from roles.nvidia_driver.steps import (
    add_repository,
    hold_packages,
    install_packages,
    pin_version,
    prove_agreement,
    reboot_if_required,
    run_persistence_daemon,
    say_flavor,
    swap_module,
    write_module_options,
)


@deploy("NVIDIA driver")
def nvidia_driver() -> None:
    """Install, replace or remove the NVIDIA driver, and end with the proof that all its parts agree.

    It configures:

    - NVIDIA's repository, trusted by the fingerprint of its key, or the components of the archive that hold the driver
    - a pin before the first package comes (NVIDIA's pinning package, apt's preferences, a module stream, version locks)
      and holds for everything that has the driver's version
    - the driver's packages in place of any other branch's, flavor's or packager's, in one transaction, and with them
      what must have the same version and is there: fabric manager, IMEX, NSCQ, NVSDM
    - headers of the running kernel, and a DKMS build that is checked; under Secure Boot one that is signed
    - the open or the proprietary kernel module, by the generation of the GPUs
    - options of the kernel module in /etc/modprobe.d/gpufleet-nvidia.conf, and the persistence daemon
    - the loaded module, which it swaps where nothing uses it; else it says who does and records a reason to reboot

    It will not:

    - reboot, unless `reboot` says `if-required`; stop processes that use a GPU, or drain the host
    - touch a host whose driver came from NVIDIA's runfile installer, or whose firmware would not load the modules
    - enroll a key in the firmware, which asks for a password at the console
    - install CUDA, fabric manager, DCGM or the container toolkit
    - blacklist nouveau, which the role base does
    - touch hosts without an NVIDIA GPU
    """
    options, found, resolved = NvidiaDriver.of(host), machine(host), resolution(host)
    if options.state == "absent":
        remove_driver(resolved, found)
        return
    if not found.hardware.gpus:
        nvidia.left_alone(name="Leave a host without NVIDIA GPUs alone", why="no NVIDIA GPU on the PCI bus")
        return
    choice = choose(options, resolved, found)
    if refused(options, choice) or choice is None:
        return
    install_driver(options, choice)


def refused(options: NvidiaDriver, choice: Choice | None) -> bool:
    """Refuse a host for everything that speaks against it, before anything is changed."""
    traces: list[str] = host.get_fact(RunfileTraces)
    errors: list[HostError | None] = [
        *refusals(host.name, options, resolution(host)),
        runfile(host.name, traces),
        unsigned(host.name, host.get_fact(SecureBoot), options, choice),
        broken(host.name, choice),
        unpinned(host.name, choice),
    ]
    found = [error for error in errors if error]
    if found:
        nvidia.refused(name="Refuse a driver that cannot run here", errors=found)
    return bool(found)


def install_driver(options: NvidiaDriver, choice: Choice) -> None:
    """Bring the host to this driver."""
    say_flavor(choice)
    prove_key(options)
    add_repository(choice)
    pin_version(options, choice)
    prepare_module(options, choice)
    install_packages(options, choice)
    hold_packages(choice)
    provide_module(options, choice)
    drop_in = write_module_options(choice)
    swap_module(choice, drop_in)
    run_persistence_daemon(options)
    reboot_if_required(options)
    prove_agreement(choice)
