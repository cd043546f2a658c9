"""The steps of the role `roce`, in the order in which they run."""

from __future__ import annotations

from pyinfra.api.deploy import deploy
from pyinfra.context import host

from gpufleet.operations import stack
from gpufleet.stack.host.resolved import machine
from roles.roce.options import Roce
from roles.roce.steps import set_up_ports, write_program, write_unit


@deploy("RoCE")
def roce() -> None:
    """Make Ethernet lossless for RDMA on the host's side, now and whenever an interface appears.

    It configures:

    - every RDMA port with Ethernet below it, or those that are named
    - trust of DSCP or VLAN priority, and the priorities of RoCE's data and of congestion notifications
    - priority flow control (PFC) on the priority of RoCE's data
    - ECN as notification and as reaction point, DSCP and priority of the notifications (CNP)
    - the traffic class of RDMA traffic, the type of service of RDMA-CM's connections, and RoCE v2 for them
    - the MTU
    - /usr/local/sbin/gpufleet-roce, and gpufleet-roce@.service, which runs it for each interface

    What it needs:

    - `dcb` of iproute2 (5.11 or newer), else NVIDIA's `mlnx_qos` of DOCA-OFED: trust, priorities and PFC
    - DOCA-OFED for ECN per priority (/sys/class/net/IF/ecn) and the global traffic class; with the kernel's own driver
      ECN is as the firmware has it (ROCE_CC_PRIO_MASK_P1), and senders name their class themselves
    - DOCA-OFED, or debugfs without kernel lockdown, for the notifications' DSCP and priority

    It will not:

    - set up the switches: they must trust, pause and mark the same
    - change NCCL's settings: validation and checks compare NCCL_IB_TC and NCCL_IB_GID_INDEX with what is here
    - touch an interface that carries the default route or the SSH session
    - give interfaces addresses, without which there is no GID to send from
    - touch hosts whose data have no key `roce`, or that have no RDMA adapter
    """
    options = Roce.of(host)
    if host.data.get(options.key) is None:
        stack.left_alone(name="Leave RoCE alone", why="the host's data have no key roce")
        return
    if not machine(host).hardware.rdma_adapters:
        stack.left_alone(name="Leave RoCE alone", why="no RDMA adapter on the PCI bus")
        return
    write_program(options)
    write_unit()
    set_up_ports(options)
