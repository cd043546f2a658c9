"""RoCE only, on hosts that have their RDMA stack."""

from roles.roce.deploy import roce

roce()
