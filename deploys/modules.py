"""The driver's kernel modules, built on hosts whose own driver stays as it is; `gpufleet modules build` runs this."""

from roles.nvidia_driver.building import kernel_modules

kernel_modules()
