"""Short steps of the role, each one operation or two; their order is in deploy.py."""

from __future__ import annotations

from collections.abc import Sequence

from pyinfra.context import host

from gpufleet.errors import HostError
from gpufleet.operations import components, files, gpu_daemons, nvidia, unit_files, units
from gpufleet.stack.resolution import Package, Resolution
from roles.imex.options import Imex

UNIT = "nvidia-imex.service"
NODES = "etc/nvidia-imex/nodes_config.cfg"
ORDER = "etc/systemd/system/nvidia-imex.service.d/gpufleet.conf"
PROGRAM = "/usr/bin/nvidia-imex"


def leave_to_dra() -> None:
    """Keep everything from starting the unit, before the package brings it."""
    units.masked(units=[UNIT], name="Leave IMEX to the DRA driver")


def forget_nodes_and_order() -> None:
    """Leave no list of nodes and no order at boot, after the package: it brings an empty list."""
    files.absent(path=NODES, name="List no nodes: the DRA driver keeps lists of its own")
    unit_files.forgotten(unit=UNIT, name="Order nothing that does not run")


def refuse_without_nodes() -> None:
    """Refuse a host of whose domain nothing is known: its daemon would wait for nobody and find nobody."""
    error = HostError(
        f"{host.name}: imex.nodes",
        expected="the addresses of all hosts of the NVLink domain, this one included",
        found="none",
        cure="list them, or leave IMEX to the DRA driver with run: dra",
    )
    nvidia.refused(name="Refuse IMEX without nodes", errors=[error])


def list_nodes(options: Imex) -> None:
    """Write the addresses of the domain's hosts."""
    files.rendered(path=NODES, nodes=[str(node) for node in options.nodes], name="List the nodes of the domain")


def install_packages(options: Imex, chosen: Resolution, wanted: Sequence[Package]) -> None:
    """Install IMEX at the driver's version, held."""
    components.install(chosen, wanted, "IMEX", options.install_timeout)


def order_at_boot() -> None:
    """Say what comes before and after it at boot."""
    files.rendered(path=ORDER, name="Order IMEX between the driver and its users")


def run_daemon() -> None:
    """Run the daemon, and restart it where its program or its nodes are others."""
    gpu_daemons.running(unit=UNIT, files=[PROGRAM, f"/{NODES}"], name="Run IMEX")


def remove_imex() -> None:
    """Remove what is there of it, under whatever branch's name; its list of nodes first, or packages would save it."""
    gpu_daemons.stopped(unit=UNIT, name="Stop IMEX")
    files.absent(path=NODES, name=f"Remove /{NODES}")
    components.removed(parts=["imex"], name="Remove IMEX")
    # The driver's removal takes the package along, before this role's turn.
    files.unsaved(path=NODES, name="Forget the list of nodes that rpm saved")
    unit_files.forgotten(unit=UNIT, name="Forget IMEX' order at boot")
