"""Short steps of the role, each one operation or two; their order is in deploy.py."""

from __future__ import annotations

from collections.abc import Sequence

from pyinfra.context import host

from gpufleet.facts.kernel import RunningKernel
from gpufleet.facts.packages import InstalledVersions
from gpufleet.operations import components, dkms, files, gpu_daemons, stack
from gpufleet.stack.resolution import Package, Resolution
from roles.gpudirect.options import Gpudirect

UNIT = "gpufleet-gpudirect.service"
UNIT_FILE = f"etc/systemd/system/{UNIT}"
#: Modules of this role, in the order to load them: peer memory needs ib_core and the driver, GDRCopy the driver alone.
MODULES = ("nvidia_peermem", "gdrdrv")
GDRCOPY = ("gdrcopy", "gdrcopy-devel", "gdrcopy-kmod", "gdrcopy-tests", "gdrdrv-dkms", "libgdrapi")


def say_path(chosen: Resolution) -> None:
    """Report how adapters reach GPU memory, and why."""
    why = chosen.reasons.get("gpudirect", "not wanted, or no driver")
    stack.left_alone(name="Choose the path of GPUDirect RDMA", why=f"{chosen.gpudirect or 'none'}: {why}")


def install_gdrcopy(options: Gpudirect, chosen: Resolution, wanted: Sequence[Package]) -> None:
    """Install GDRCopy, held."""
    components.install(chosen, wanted, "GDRCopy", options.install_timeout)


def build_module(options: Gpudirect, wanted: Sequence[Package]) -> None:
    """Have GDRCopy's module built for the running kernel; its package hides failures."""
    dkms.built(
        module="gdrdrv",
        version=wanted[0].version,
        kernel=host.get_fact(RunningKernel),
        timeout=options.install_timeout,
        name="Build GDRCopy's module",
    )


def load_modules(chosen: Resolution) -> None:
    """Load the modules in order, now and at boot; a unit without any is removed."""
    modules = [module for module in MODULES if module in chosen.kernel_modules]
    if modules:
        unit = files.rendered(path=UNIT_FILE, modules=modules, name="Write the unit that loads GPUDirect's modules")
        gpu_daemons.running(unit=UNIT, changed=unit.did_change, name="Load GPUDirect's modules")
        return
    gpu_daemons.stopped(unit=UNIT, name="Load no modules for GPUDirect")
    files.absent(path=UNIT_FILE, name=f"Remove /{UNIT_FILE}")


def remove_gdrcopy() -> None:
    """Remove what is installed of it."""
    installed = host.get_fact(InstalledVersions, packages=list(GDRCOPY))
    components.remove(sorted(installed), "GDRCopy")
