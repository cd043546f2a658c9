"""Short steps of the role, each one operation or two; their order is in deploy.py."""

from __future__ import annotations

from pyinfra.api.operation import OperationMeta
from pyinfra.context import host

from gpufleet.facts.kernel import RunningKernel
from gpufleet.operations import apt, boot, dkms, driver_packages, driver_swap, files, nvidia
from roles.nvidia_driver.builds import DRIVER_SOURCE, OPEN, PERSISTENCED, USERSPACE, other
from roles.nvidia_driver.choice import Choice
from roles.nvidia_driver.options import NvidiaDriver

#: The driver lives in non-free, the open modules in contrib, the firmware of recent releases in non-free-firmware.
COMPONENTS = ("main", "contrib", "non-free", "non-free-firmware")
PIN = "gpufleet-nvidia"
OPEN_PIN = "gpufleet-nvidia-open"
MODULE_OPTIONS = "etc/modprobe.d/gpufleet-nvidia.conf"


def say_flavor(choice: Choice) -> None:
    """Report which build of the module this host gets, and why."""
    flavor = choice.wanted.flavor
    nvidia.left_alone(name=f"Choose the {flavor} kernel module", why=f"{flavor} kernel module: {choice.reason}")


def switch_on_components() -> None:
    """Switch on the archive components that hold the driver."""
    apt.components(components=COMPONENTS, name="Switch on the archive's non-free components")


def pin_sources(choice: Choice) -> None:
    """Pin every package of the driver's sources, before the first of them is installed."""
    apt.pin(
        preference=PIN,
        package=f"src:{DRIVER_SOURCE}",
        version=choice.version,
        name=f"Pin the driver to {choice.version}",
    )
    is_open = choice.build is OPEN
    apt.pin(
        preference=OPEN_PIN,
        package=f"src:{OPEN.source}",
        version=choice.wanted.version,
        present=is_open,
        name="Pin the open kernel modules too" if is_open else "Pin no open kernel modules",
    )


def install_headers(options: NvidiaDriver) -> None:
    """Install what a build for the running kernel needs, and keep the headers beside the kernel they are for."""
    kernel = host.get_fact(RunningKernel)
    dkms.headers(
        kernel=kernel, timeout=options.install_timeout, name=f"Install dkms and the headers of kernel {kernel}"
    )
    apt.hold(packages=[f"linux-headers-{kernel}"], name=f"Hold the headers of kernel {kernel}")


def install_packages(options: NvidiaDriver, choice: Choice) -> None:
    """Install the driver at its exact version, the daemon, and nothing of the other build."""
    unwanted = other(choice.build)
    driver_packages.exact(
        packages=wanted_packages(choice),
        source=DRIVER_SOURCE,
        version=choice.version,
        without=unwanted.packages,
        timeout=options.install_timeout,
        name=f"Install driver {choice.version} with the {choice.build.flavor} kernel module",
    )
    apt.removed(packages=unwanted.packages, purge=True, name=f"Purge the {unwanted.flavor} kernel module")
    if options.persistence:
        driver_packages.daemon(
            package=PERSISTENCED, timeout=options.install_timeout, name="Install the persistence daemon"
        )


def wanted_packages(choice: Choice) -> list[str]:
    """Name the packages; those of the open modules' own source take the upstream version."""
    own_source = choice.build is OPEN
    module = [f"{name}={choice.wanted.version}" if own_source else name for name in choice.build.packages]
    return [*module, *USERSPACE]


def hold_packages(options: NvidiaDriver, choice: Choice) -> None:
    """Hold everything that was built from the driver's sources, and the daemon."""
    daemon = [PERSISTENCED] * options.persistence
    driver_packages.held(
        packages=[*choice.build.packages, *USERSPACE, *daemon],
        sources=sorted({DRIVER_SOURCE, choice.build.source}),
        name="Hold the driver's packages",
    )


def build_module(options: NvidiaDriver, choice: Choice) -> None:
    """Have the module built for the running kernel; the packages' own scripts hide failures."""
    kernel = host.get_fact(RunningKernel)
    dkms.built(
        module=choice.build.module,
        version=choice.wanted.version,
        kernel=kernel,
        timeout=options.install_timeout,
        name=f"Build the kernel module for kernel {kernel}",
    )


def write_module_options(options: NvidiaDriver, choice: Choice) -> OperationMeta:
    """Write the module options, or remove their file where there are none."""
    if not choice.wanted.options:
        return files.absent(path=MODULE_OPTIONS, name="Leave the module options at their defaults")
    return files.rendered(
        path=MODULE_OPTIONS,
        module=choice.build.module,
        options=choice.wanted.options,
        name="Write the module options",
    )


def swap_module(choice: Choice, drop_in: OperationMeta) -> None:
    """Load the module on disk in place of another one, or say who is in the way."""
    driver_swap.swapped(
        wanted=choice.wanted,
        options_changed=drop_in.did_change,
        name=f"Load driver {choice.wanted.version}",
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
    packages = [*choice.build.packages, *USERSPACE]
    nvidia.agreed(
        wanted=choice.wanted,
        packages=packages,
        name=f"Prove that every part of the driver is {choice.wanted.version}",
    )
