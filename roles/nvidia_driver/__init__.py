"""NVIDIA driver: the kernel module, its userspace and its persistence daemon, at one exact version.

It configures:

- the archive components that hold the driver, in the apt sources that are there,
- a pin and holds for every package of the driver's sources,
- headers of the running kernel, and a DKMS build that is checked,
- the open or the proprietary kernel module, by the generation of the GPUs,
- options of the kernel module in `/etc/modprobe.d/gpufleet-nvidia.conf`,
- the persistence daemon,
- the swap of the loaded module where nothing uses it; where something does, it says who, and records that a reboot
  is required.

It will not:

- reboot, unless `reboot: if-required` says so,
- stop processes that use a GPU, or drain the host,
- install CUDA, fabric manager, DCGM or the container toolkit,
- blacklist nouveau, which the role `base` does,
- touch hosts without an NVIDIA GPU.
"""
