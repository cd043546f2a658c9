"""The steps of the role `ipoib`, in the order in which they run."""

from __future__ import annotations

from pyinfra.api.deploy import deploy
from pyinfra.context import host

from gpufleet.facts.network import NetworkManagerInUse
from gpufleet.operations import stack
from gpufleet.stack.host.resolved import machine
from roles.ipoib.options import Ipoib
from roles.ipoib.steps import configure, load_module, refuse_without_manager


@deploy("IPoIB")
def ipoib() -> None:
    """Give a host IP over InfiniBand, through the network manager that it really uses.

    It configures:

    - the kernel module ib_ipoib, now and at boot
    - mode, MTU and addresses of IPoIB interfaces, named by interface or by RDMA device
    - partitions: a child interface such as ib0.8001 for each key
    - the files of systemd-networkd, netplan, ifupdown or NetworkManager, whichever is found, and for the first three
      a udev rule that sets mode and partitions, which not every release of theirs knows

    It will not:

    - touch any other interface: no `netplan apply`, no restart of a service
    - touch an interface that carries the default route or the SSH session: it refuses the host
    - give partitions to hosts: that is the subnet manager's part
    - take addresses from an interface that is no longer listed: its file goes, its addresses go at the next boot
    - touch hosts whose data have no key `ipoib`, or that have no RDMA adapter
    """
    options = Ipoib.of(host)
    if host.data.get(options.key) is None:
        stack.left_alone(name="Leave IPoIB alone", why="the host's data have no key ipoib")
        return
    if not machine(host).hardware.rdma_adapters:
        stack.left_alone(name="Leave IPoIB alone", why="no RDMA adapter on the PCI bus")
        return
    manager = host.get_fact(NetworkManagerInUse) if options.manager == "auto" else options.manager
    if not manager:
        refuse_without_manager()
        return
    load_module()
    configure(options, manager)
