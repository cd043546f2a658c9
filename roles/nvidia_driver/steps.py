"""Short steps of the role, each one operation or a few; their order is in deploy.py."""

from __future__ import annotations

from pyinfra.api.operation import OperationMeta

from gpufleet.operations import (
    apt,
    boot,
    dnf,
    driver_packages,
    driver_swap,
    files,
    initramfs,
    nvidia,
    vendor_repository,
)
from roles.nvidia_driver.choice import Choice
from roles.nvidia_driver.options import NvidiaDriver
from roles.nvidia_driver.places import COMPONENTS, MODULE_OPTIONS, PIN, PINNED, STREAMS


def say_flavor(choice: Choice) -> None:
    """Report which build of the module this host gets, and why."""
    nvidia.left_alone(name=f"Choose the {choice.driver.flavor} kernel module", why=choice.driver.reason)


def add_repository(choice: Choice) -> None:
    """Have the repository or the archive components that hold the driver."""
    if choice.repository:
        vendor_repository.used(
            repository=choice.repository, name="Use NVIDIA's repository, trusted by its pinned key alone"
        )
    elif choice.system.family == "debian":
        apt.components(components=COMPONENTS, name="Switch on the archive's non-free components")


def pin_version(options: NvidiaDriver, choice: Choice) -> None:
    """Keep the version before the first package is installed, by the means that the system has."""
    driver = choice.driver
    if choice.system.family == "el":
        if driver.stream:
            dnf.module(
                module=STREAMS,
                stream=driver.stream,
                timeout=options.install_timeout,
                name=f"Enable the module stream {STREAMS}:{driver.stream}",
            )
    else:
        pinned = [f"src:{source}" for source in driver.source_packages] or [PINNED]
        version = driver.packages[0].version or driver.version
        apt.pin(
            preference=PIN,
            package=" ".join(pinned),
            version=version,
            name=f"Pin the driver to {version}",
        )
    driver_packages.pinned(
        driver=driver, companions=choice.companions, name=f"Hold the driver's packages to {driver.version}"
    )


def install_packages(options: NvidiaDriver, choice: Choice) -> None:
    """Install the driver at its exact version in place of any other one, with what has to follow it."""
    driver_packages.installed(
        driver=choice.driver,
        companions=choice.companions,
        timeout=options.install_timeout,
        name=f"Install driver {choice.version} with the {choice.driver.flavor} kernel module",
    )


def hold_packages(choice: Choice) -> None:
    """Hold everything that is there of the driver, and the daemon."""
    driver_packages.held(driver=choice.driver, name="Hold the driver's packages")


def write_module_options(choice: Choice) -> OperationMeta:
    """Write the module options, or remove their file where there are none."""
    if not choice.wanted.options:
        return withdraw_module_options("Leave the module options at their defaults")
    written = files.rendered(
        path=MODULE_OPTIONS,
        module=choice.wanted.module,
        options=choice.wanted.options,
        name="Write the module options",
    )
    # Some images load the driver before the root file system is there; packages refresh images for the module alone.
    initramfs.newer_than(path=f"/{MODULE_OPTIONS}", name="Put the module options into each initramfs")
    return written


def withdraw_module_options(name: str) -> OperationMeta:
    """Remove the file of the module options, from the boot images too."""
    removed = files.absent(path=MODULE_OPTIONS, name=name)
    initramfs.newer_than(
        path=f"/{MODULE_OPTIONS.rpartition('/')[0]}",
        name="Take the module options out of each initramfs",
        _if=removed.did_change,
    )
    return removed


def swap_module(choice: Choice, drop_in: OperationMeta) -> None:
    """Load the module on disk in place of another one, or say who is in the way."""
    driver_swap.swapped(
        wanted=choice.wanted,
        options_changed=drop_in.did_change,
        name=f"Load driver {choice.version}",
    )


def run_persistence_daemon(options: NvidiaDriver) -> None:
    """Run the persistence daemon, or keep it from running."""
    verb = "Run" if options.persistence else "Do not run"
    nvidia.persistence(running=options.persistence, name=f"{verb} the persistence daemon")


def reboot_if_required(options: NvidiaDriver) -> None:
    """Reboot where a reason is recorded, if the options allow it."""
    if options.reboot == "if-required":
        boot.reboot(timeout_s=options.reboot_timeout, if_required=True, name="Reboot where the driver asks for it")


def prove_agreement(choice: Choice) -> None:
    """End with the proof that loaded module, userspace, packages and module on disk are one version."""
    nvidia.agreed(
        wanted=choice.wanted,
        packages=choice.names,
        name=f"Prove that every part of the driver is {choice.version}",
    )
