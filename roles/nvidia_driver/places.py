"""Names and files that this role owns on a host."""

from __future__ import annotations

#: apt's preferences that keep the driver's version; templates and checks read the same names.
PIN = "gpufleet-nvidia"
MODULE_OPTIONS = "etc/modprobe.d/gpufleet-nvidia.conf"
#: The daemon has a source and versions of its own in the distribution's archive, and works with any driver.
PERSISTENCED = "nvidia-persistenced"
#: The driver lives in non-free, the open modules in contrib, the firmware of recent releases in non-free-firmware.
COMPONENTS = ("main", "contrib", "non-free", "non-free-firmware")
#: Packages of NVIDIA's archives and Ubuntu's that the pin keeps where they have the driver's version: a pinning
#: package knows the branch alone.
PINNED = "*nvidia* cuda-drivers* libcuda* libnvsdm*"
#: The module of the repositories of EL 8 and 9 whose streams are the driver's branches and flavors.
STREAMS = "nvidia-driver"
