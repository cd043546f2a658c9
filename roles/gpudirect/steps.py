"""Short steps of the role, each one operation or two; their order is in deploy.py."""

from __future__ import annotations

from collections.abc import Sequence

from pyinfra.context import host

from gpufleet.facts.kernel import RunningKernel
from gpufleet.operations import components, dkms, files, gpu_daemons, stack, unit_files
from gpufleet.stack.resolution import Package, Resolution
from roles.gpudirect.options import Gpudirect

UNIT = "gpufleet-gpudirect.service"
UNIT_FILE = f"etc/systemd/system/{UNIT}"
#: Modules of this role, in the order to load them: peer memory needs ib_core and the driver, GDRCopy the driver alone.
PEER_MEMORY, GDRDRV = "nvidia_peermem", "gdrdrv"
MODULES = (PEER_MEMORY, GDRDRV)
GDRCOPY = ("gdrcopy", "gdrcopy-devel", "gdrcopy-kmod", "gdrcopy-tests", "gdrdrv-dkms", "libgdrapi")


def gpudirect_modules(chosen: Resolution) -> list[str]:
    """Name the modules that this host needs, in the order to load them."""
    return [module for module in MODULES if module in chosen.kernel_modules]


def say_path(chosen: Resolution) -> None:
    """Report how adapters reach GPU memory, and why."""
    why = chosen.reasons.get("gpudirect", "not wanted, or no driver")
    stack.left_alone(name="Choose the path of GPUDirect RDMA", why=f"{chosen.gpudirect or 'none'}: {why}")


def install_gdrcopy(options: Gpudirect, chosen: Resolution, wanted: Sequence[Package]) -> None:
    """Install GDRCopy, held."""
    components.install(chosen, wanted, "GDRCopy", options.install_timeout)


def build_module(options: Gpudirect, wanted: Sequence[Package]) -> None:
    """Have GDRCopy's module built for the running kernel; its package hides failures."""
    kernel = host.get_fact(RunningKernel)
    dkms.built(
        module=GDRDRV,
        version=wanted[0].version,
        kernel=kernel,
        timeout=options.install_timeout,
        name=f"Build GDRCopy's module for kernel {kernel}",
    )


def load_modules(chosen: Resolution) -> None:
    """Load the modules in order, now and at boot; a unit without any is removed, and unloads what it loaded."""
    if modules := gpudirect_modules(chosen):
        files.rendered(
            path=UNIT_FILE,
            modules=modules,
            others=_others(modules),
            name="Write the unit that loads GPUDirect's modules",
        )
        gpu_daemons.running(unit=UNIT, files=[f"/{UNIT_FILE}"], modules=modules, name="Load GPUDirect's modules")
    else:
        gpu_daemons.stopped(unit=UNIT, name="Load no modules for GPUDirect")
        unit_files.forgotten(unit=UNIT, name="Remove the unit that loads GPUDirect's modules")


def remove_gdrcopy() -> None:
    """Remove what is there of it."""
    components.removed(patterns=GDRCOPY, name="Remove GDRCopy")


def _others(modules: Sequence[str]) -> list[str]:
    return [module for module in reversed(MODULES) if module not in modules]
