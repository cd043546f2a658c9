"""Short steps of the role, each one operation or two; their order is in deploy.py."""

from __future__ import annotations

from pyinfra.operations import systemd

from gpufleet.operations import files, rdma_ethernet
from roles.roce.options import Roce

PROGRAM = "usr/local/sbin/gpufleet-roce"
TEMPLATE = "gpufleet-roce@"
UNIT = f"etc/systemd/system/{TEMPLATE}.service"


def write_program(options: Roce) -> None:
    """Write the program that sets up one interface."""
    files.rendered(path=PROGRAM, mode="755", qos=options.qos(), name="Write the program that sets up a RoCE interface")


def write_unit() -> None:
    """Write the unit that runs it for an interface whenever that appears."""
    unit = files.rendered(path=UNIT, name="Write the unit of RoCE interfaces")
    systemd.daemon_reload(_if=unit.did_change, name="Make systemd read the unit of RoCE interfaces")


def set_up_ports(options: Roce) -> None:
    """Enable the unit for the ports, and run it where one is otherwise than declared."""
    rdma_ethernet.configured(
        template=TEMPLATE, wanted=options.qos(), named=options.named, name="Set up the RoCE interfaces"
    )
