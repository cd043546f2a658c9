"""The host's network stack for RDMA: packages, modules, device names, locked memory, PCI Express."""
