"""Short steps of the role, each one operation or two; their order is in deploy.py."""

from __future__ import annotations

from collections.abc import Sequence

from gpufleet.operations import components, files, gpu_daemons, kernel, unit_files
from gpufleet.stack.resolution import Component, Package, Resolution
from roles.fabric_manager.options import FabricManager

COMPONENTS: tuple[Component, ...] = ("nvlsm", "nvsdm", "nscq", "fabric_manager")
UNIT = "nvidia-fabricmanager.service"
MODULES = "etc/modules-load.d/gpufleet-nvlink.conf"
ORDER = "etc/systemd/system/nvidia-fabricmanager.service.d/gpufleet.conf"
#: In the shipped unit of some releases: it makes the daemon start when boot is over, after everything that needs it.
#: Source: Azure/azhpc-images, components/install_nvidia_fabric_manager.sh, 2026-08.
TOO_LATE = "After=multi-user.target"
#: The subnet manager of NVLink5, whose versions are its own, and the modules without which it sees no switch.
SUBNET_MANAGER, NVLINK_MODULES = "nvlsm", ("mlx5_core", "ib_umad")
#: A daemon of before an upgrade serves the old driver alone. Its configuration restarts nothing: a fabric manager that
#: stops ends every CUDA program (ABORT_CUDA_JOBS_ON_FM_EXIT in NVIDIA's fabric manager guide).
PROGRAM = "/usr/bin/nv-fabricmanager"


def nvlink_modules(chosen: Resolution) -> list[str]:
    """Name the modules that NVLink5 needs, in the order to load them."""
    return [module for module in chosen.kernel_modules if module in NVLINK_MODULES]


def load_modules(chosen: Resolution) -> None:
    """Load the modules that the management ports of NVLink5 switches need, now and at boot."""
    if modules := nvlink_modules(chosen):
        files.rendered(path=MODULES, modules=modules, name="Load the modules of NVLink5 at boot")
        kernel.modules_loaded(modules=modules, name="Load the modules of NVLink5")
    else:
        files.absent(path=MODULES, name="Load no InfiniBand modules for NVLink")


def install_packages(options: FabricManager, chosen: Resolution, wanted: Sequence[Package]) -> None:
    """Install fabric manager and what goes with it at the driver's version, held."""
    components.install(chosen, wanted, "fabric manager", options.install_timeout)


def order_at_boot(chosen: Resolution) -> None:
    """Say what comes before and after it at boot."""
    files.rendered(
        path=ORDER, modules=nvlink_modules(chosen), name="Order fabric manager between the driver and its users"
    )
    unit_files.without(unit=UNIT, lines=[TOO_LATE], name="Let fabric manager start during boot")


def run_daemon() -> None:
    """Run the daemon, and restart it where its program is another."""
    gpu_daemons.running(unit=UNIT, files=[PROGRAM], name="Run fabric manager")


def remove_fabric_manager() -> None:
    """Remove what is there of it, under whatever branch's names."""
    gpu_daemons.stopped(unit=UNIT, name="Stop fabric manager")
    components.removed(parts=COMPONENTS, patterns=[SUBNET_MANAGER], name="Remove fabric manager")
    unit_files.forgotten(unit=UNIT, name="Forget fabric manager's order at boot")
    files.absent(path=MODULES, name="Load no InfiniBand modules for NVLink")
