"""Lab hosts that stand in for Rocky Linux 10: NVIDIA's packages come from the lab, signed by the lab's key."""

from gpufleet.lab.inventory import nvidia_repository

stack = {"repositories": {"cuda": nvidia_repository()}}
nvidia_driver = {"version": "580.105.08", "source": "nvidia"}
# What goes with the driver, where the hardware profile of the host asks for it; the lab carries these versions.
fabric_manager = {}
gpudirect = {}
dcgm = {"version": "4.4.1"}
cuda = {"toolkits": ["12.9", "13.0"]}
nccl = {"version": "2.28.3"}
