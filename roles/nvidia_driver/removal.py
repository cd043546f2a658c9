"""Removal: nothing of the driver stays on the host, and nothing stays loaded unless somebody uses it."""

from __future__ import annotations

from pyinfra.context import host

from gpufleet.facts.machine import HostMachine
from gpufleet.operations import apt, dkms, dnf, driver_packages, driver_swap, signing, vendor_repository
from gpufleet.stack.host import mirrors
from gpufleet.stack.matrix import load
from gpufleet.stack.resolution import Repository, Resolution
from gpufleet.stack.wanted import StackData
from roles.nvidia_driver.choice import REPOSITORY
from roles.nvidia_driver.places import PERSISTENCED, PIN, STREAMS
from roles.nvidia_driver.steps import withdraw_module_options

#: Helpers that Debian packs apart from the driver, with versions of their own.
HELPERS = (
    PERSISTENCED,
    "nvidia-modprobe",
    "nvidia-kernel-common",
    "nvidia-support",
    "nvidia-installer-cleanup",
    "nvidia-legacy-check",
    "glx-alternative-nvidia",
)


def dkms_modules() -> tuple[str, ...]:
    """Return every name by which DKMS knows a driver's module, in NVIDIA's repositories and the distributions'."""
    return tuple(sorted({name for row in load().schemes for name in row.dkms_modules.values()}))


def remove_driver(resolution: Resolution, found: HostMachine) -> None:
    """Unload the module first: the programs that unload it are never the driver's own."""
    driver_swap.unloaded(name="Unload the driver")
    driver_packages.removed(also=HELPERS, name="Purge the driver's packages")
    for module in dkms_modules():
        dkms.removed(module=module, name=f"Forget builds of {module}")
    withdraw_module_options("Remove the module options")
    if found.system.family == "el":
        dnf.module(module=STREAMS, stream="", present=False, name=f"Reset the module {STREAMS}")
    else:
        apt.pin(preference=PIN, package="*", version="*", present=False, name="Remove the driver's pin")
    signing.forgotten(at=signing.place(found.system.release), name="Take the signing key off the host")
    remove_repository(resolution, found)


def remove_repository(resolution: Resolution, found: HostMachine) -> None:
    """Remove NVIDIA's repository too, unless something else on this host comes from it."""
    row = load().repository(REPOSITORY, found.system.release, found.system.arch)
    if row is None or resolution.repositories:
        return
    vendors = Repository(row.name, row.base_url, row.path, row.key_file, row.fingerprint, row.source)
    repository = mirrors.place(vendors, StackData.of(host).repositories)
    vendor_repository.used(repository=repository, present=False, name="Forget NVIDIA's repository")
