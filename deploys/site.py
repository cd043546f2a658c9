"""Everything a host needs, in the order in which it is needed; a role without data on a host leaves it alone."""

from roles.base.deploy import base
from roles.container_runtime.deploy import container_runtime
from roles.container_toolkit.deploy import container_toolkit
from roles.cuda.deploy import cuda
from roles.dcgm.deploy import dcgm
from roles.fabric_manager.deploy import fabric_manager
from roles.gpudirect.deploy import gpudirect
from roles.imex.deploy import imex
from roles.infiniband.deploy import infiniband
from roles.ipoib.deploy import ipoib
from roles.kubelet.deploy import kubelet, kubelet_beforehand
from roles.nccl.deploy import nccl
from roles.nic_firmware.deploy import nic_firmware
from roles.nvidia_driver.deploy import nvidia_driver
from roles.roce.deploy import roce
from roles.subnet_manager.deploy import subnet_manager

base()
nic_firmware()
infiniband()
subnet_manager()
ipoib()
roce()
nvidia_driver()
fabric_manager()
imex()
gpudirect()
dcgm()
cuda()
nccl()
kubelet_beforehand()
container_runtime()
container_toolkit()
kubelet()
