"""The fabric of a fleet: RDMA stack, subnet managers, IPoIB and RoCE; a host gets those whose keys its data have."""

from roles.infiniband.deploy import infiniband
from roles.ipoib.deploy import ipoib
from roles.roce.deploy import roce
from roles.subnet_manager.deploy import subnet_manager

infiniband()
subnet_manager()
ipoib()
roce()
