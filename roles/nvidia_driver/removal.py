"""Removal: nothing of the driver stays on the host, and nothing stays loaded unless somebody uses it."""

from __future__ import annotations

from gpufleet.operations import apt, dkms, driver_packages, driver_swap, files
from roles.nvidia_driver.builds import BUILDS, DRIVER_SOURCE, OPEN, PERSISTENCED, PROPRIETARY, SOURCES, USERSPACE
from roles.nvidia_driver.steps import MODULE_OPTIONS, OPEN_PIN, PIN


def remove_driver() -> None:
    """Unload the module first: the programs that unload it are never the driver's own."""
    driver_swap.unloaded(module=PROPRIETARY.module, name="Unload the driver")
    packages = [name for build in BUILDS.values() for name in build.packages]
    driver_packages.removed(
        packages=[*packages, *USERSPACE, PERSISTENCED],
        sources=SOURCES,
        name="Purge the driver's packages",
    )
    for build in BUILDS.values():
        dkms.removed(module=build.module, name=f"Forget builds of {build.module}")
    files.absent(path=MODULE_OPTIONS, name="Remove the module options")
    apt.pin(preference=PIN, package=f"src:{DRIVER_SOURCE}", version="*", present=False, name="Remove the driver's pin")
    apt.pin(
        preference=OPEN_PIN,
        package=f"src:{OPEN.source}",
        version="*",
        present=False,
        name="Remove the open modules' pin",
    )
