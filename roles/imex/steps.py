"""Short steps of the role, each one operation or two; their order is in deploy.py."""

from __future__ import annotations

from collections.abc import Sequence

from pyinfra.api.operation import OperationMeta
from pyinfra.context import host

from gpufleet.facts.packages import InstalledVersions
from gpufleet.operations import components, files, gpu_daemons, units
from gpufleet.stack import driver_names
from gpufleet.stack.resolution import Package, Resolution
from roles.imex.options import Imex

UNIT = "nvidia-imex.service"
NODES = "etc/nvidia-imex/nodes_config.cfg"
ORDER = "etc/systemd/system/nvidia-imex.service.d/gpufleet.conf"


def leave_to_dra() -> None:
    """Keep everything from starting the unit, before the package brings it."""
    units.masked(units=[UNIT], name="Leave IMEX to the DRA driver")
    files.absent(path=NODES, name="List no nodes: the DRA driver keeps lists of its own")
    files.absent(path=ORDER, name="Order nothing that does not run")


def list_nodes(options: Imex) -> OperationMeta:
    """Write the addresses of the domain's hosts."""
    return files.rendered(path=NODES, nodes=[str(node) for node in options.nodes], name="List the nodes of the domain")


def install_packages(options: Imex, chosen: Resolution, wanted: Sequence[Package]) -> None:
    """Install IMEX at the driver's version, held."""
    components.install(chosen, wanted, "IMEX", options.install_timeout)


def order_at_boot() -> OperationMeta:
    """Say what comes before and after it at boot."""
    return files.rendered(path=ORDER, name="Order IMEX between the driver and its users")


def run_daemon(before: Sequence[OperationMeta]) -> None:
    """Run the daemon, and restart it where what it reads changed."""
    gpu_daemons.running(unit=UNIT, changed=lambda: any(step.did_change() for step in before), name="Run IMEX")


def remove_imex() -> None:
    """Remove what is installed of it, under whatever branch's name."""
    installed = host.get_fact(InstalledVersions)
    known = driver_names.companions(installed)
    names = [name for name, component in known.items() if component == "imex"]
    if names:
        gpu_daemons.stopped(unit=UNIT, name="Stop IMEX")
    components.remove(names, "IMEX")
    for path in (ORDER, NODES):
        files.absent(path=path, name=f"Remove /{path}")
