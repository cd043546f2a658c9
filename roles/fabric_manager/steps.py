"""Short steps of the role, each one operation or two; their order is in deploy.py."""

from __future__ import annotations

from collections.abc import Sequence

from pyinfra.api.operation import OperationMeta
from pyinfra.context import host

from gpufleet.facts.packages import InstalledVersions
from gpufleet.operations import components, files, gpu_daemons, kernel, unit_files
from gpufleet.stack import driver_names
from gpufleet.stack.resolution import Component, Package, Resolution
from roles.fabric_manager.options import FabricManager

COMPONENTS: tuple[Component, ...] = ("nvlsm", "nvsdm", "nscq", "fabric_manager")
UNIT = "nvidia-fabricmanager.service"
MODULES = "etc/modules-load.d/gpufleet-nvlink.conf"
ORDER = "etc/systemd/system/nvidia-fabricmanager.service.d/gpufleet.conf"
#: In the shipped unit of some releases: it makes the daemon start when boot is over, after everything that needs it.
TOO_LATE = "After=multi-user.target"
#: The subnet manager of NVLink5, whose versions are its own, and the modules without which it sees no switch.
_SUBNET_MANAGER, _MODULES = "nvlsm", ("mlx5_core", "ib_umad")


def nvlink_modules(chosen: Resolution) -> list[str]:
    """Name the modules that NVLink5 needs, in the order to load them."""
    return [module for module in chosen.kernel_modules if module in _MODULES]


def load_modules(chosen: Resolution) -> list[OperationMeta]:
    """Load the modules that the management ports of NVLink5 switches need, now and at boot."""
    modules = nvlink_modules(chosen)
    if not modules:
        return [files.absent(path=MODULES, name="Load no InfiniBand modules for NVLink")]
    listed = files.rendered(path=MODULES, modules=modules, name="Load the modules of NVLink5 at boot")
    loaded = kernel.modules_loaded(modules=modules, name="Load the modules of NVLink5")
    return [listed, loaded]


def install_packages(options: FabricManager, chosen: Resolution, wanted: Sequence[Package]) -> None:
    """Install fabric manager and what goes with it at the driver's version, held."""
    components.install(chosen, wanted, "fabric manager", options.install_timeout)


def order_at_boot(chosen: Resolution) -> list[OperationMeta]:
    """Say what comes before and after it at boot."""
    drop_in = files.rendered(
        path=ORDER, modules=nvlink_modules(chosen), name="Order fabric manager between the driver and its users"
    )
    whole = unit_files.without(unit=UNIT, lines=[TOO_LATE], name="Let fabric manager start during boot")
    return [drop_in, whole]


def run_daemon(before: Sequence[OperationMeta]) -> None:
    """Run the daemon, and restart it where its unit or its modules changed."""
    gpu_daemons.running(unit=UNIT, changed=lambda: any(step.did_change() for step in before), name="Run fabric manager")


def remove_fabric_manager() -> None:
    """Remove what is installed of it, under whatever branch's names."""
    installed = host.get_fact(InstalledVersions)
    known = driver_names.companions(installed)
    names = [name for name, component in known.items() if component in COMPONENTS]
    names += [_SUBNET_MANAGER] * (_SUBNET_MANAGER in installed)
    if names:
        gpu_daemons.stopped(unit=UNIT, name="Stop fabric manager")
    components.remove(names, "fabric manager")
    for path in (ORDER, MODULES, f"etc/systemd/system/{UNIT}"):
        files.absent(path=path, name=f"Remove /{path}")
