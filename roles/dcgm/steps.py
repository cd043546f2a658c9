"""Short steps of the role, each one operation or two; their order is in deploy.py."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from gpufleet.operations import components, files, gpu_daemons, unit_files
from gpufleet.stack.resolution import Package, Resolution
from roles.dcgm.options import Dcgm

UNIT = "nvidia-dcgm.service"
ORDER = "etc/systemd/system/nvidia-dcgm.service.d/gpufleet.conf"
PROGRAM = "/usr/bin/nv-hostengine"
#: What all packages of DCGM are called, of every major; and the CUDA majors that they may be for.
ALL, CUDA_MAJORS = "datacenter-gpu-manager*", range(10, 20)


def others(chosen: Resolution, wanted: Sequence[Package]) -> list[str]:
    """Return the names of packages of another major, or of another CUDA's; headers and the like may stay."""
    other_majors = [pattern for pattern in chosen.unwanted if fnmatchcase(pattern, ALL)]
    ends = [f"-cuda{major}" for major in CUDA_MAJORS]
    return other_majors + [f"{ALL}{end}" for end in ends if not any(row.name.endswith(end) for row in wanted)]


def remove_others(chosen: Resolution, wanted: Sequence[Package]) -> None:
    """Remove packages of another major, or of another CUDA's, before the wanted ones come."""
    components.removed(patterns=others(chosen, wanted), name="Remove packages of other DCGM and CUDA majors")


def install_packages(options: Dcgm, chosen: Resolution, wanted: Sequence[Package]) -> None:
    """Install DCGM, held; it needs what it recommends, or it cannot find its own modules."""
    components.install(chosen, wanted, "DCGM", options.install_timeout, recommended=True)


def order_at_boot() -> None:
    """Say what comes before and after it at boot."""
    files.rendered(path=ORDER, name="Order DCGM between the driver and its users")


def run_daemon(options: Dcgm) -> None:
    """Run the host engine, or keep it from running."""
    if options.run:
        gpu_daemons.running(unit=UNIT, files=[PROGRAM], name="Run DCGM's host engine")
    else:
        gpu_daemons.stopped(unit=UNIT, name="Do not run DCGM's host engine")


def remove_dcgm() -> None:
    """Remove all of it."""
    gpu_daemons.stopped(unit=UNIT, name="Stop DCGM's host engine")
    components.removed(patterns=[ALL], name="Remove DCGM")
    unit_files.forgotten(unit=UNIT, name="Forget DCGM's order at boot")
