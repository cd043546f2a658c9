"""IPoIB only, on hosts that have their RDMA stack."""

from roles.ipoib.deploy import ipoib

ipoib()
