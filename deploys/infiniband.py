"""The RDMA stack only: packages, modules, device names, locked memory, PCI Express."""

from roles.infiniband.deploy import infiniband

infiniband()
