"""Short steps of the role, each one operation or two; their order is in deploy.py."""

from __future__ import annotations

from collections.abc import Sequence

from pyinfra.api.operation import OperationMeta
from pyinfra.context import host

from gpufleet.facts.packages import InstalledVersions
from gpufleet.operations import components, files, gpu_daemons
from gpufleet.stack.resolution import Package, Resolution
from roles.dcgm.options import Dcgm

UNIT = "nvidia-dcgm.service"
ORDER = "etc/systemd/system/nvidia-dcgm.service.d/gpufleet.conf"
#: What all packages of DCGM are called, of every major.
PREFIX = "datacenter-gpu-manager"


def remove_others(wanted: Sequence[Package]) -> None:
    """Remove packages of another major, or of another CUDA's, before the wanted ones come."""
    names = {package.name for package in wanted}
    others = [name for name in installed() if name not in names]
    if wanted:
        components.remove(others, "packages of other DCGM majors")


def install_packages(options: Dcgm, chosen: Resolution, wanted: Sequence[Package]) -> None:
    """Install DCGM, held; it needs what it recommends, or it cannot find its own modules."""
    components.install(chosen, wanted, "DCGM", options.install_timeout, recommended=True)


def order_at_boot() -> OperationMeta:
    """Say what comes before and after it at boot."""
    return files.rendered(path=ORDER, name="Order DCGM between the driver and its users")


def run_daemon(options: Dcgm, order: OperationMeta) -> None:
    """Run the host engine, or keep it from running."""
    if options.run:
        gpu_daemons.running(unit=UNIT, changed=order.did_change, name="Run DCGM's host engine")
    else:
        gpu_daemons.stopped(unit=UNIT, name="Do not run DCGM's host engine")


def remove_dcgm() -> None:
    """Remove all of it."""
    names = installed()
    if names:
        gpu_daemons.stopped(unit=UNIT, name="Stop DCGM's host engine")
    components.remove(names, "DCGM")
    files.absent(path=ORDER, name=f"Remove /{ORDER}")


def installed() -> list[str]:
    """Name the packages of DCGM that the host has."""
    return sorted(name for name in host.get_fact(InstalledVersions) if name.startswith(PREFIX))
