"""The NVIDIA driver only, on hosts that have their base."""

from roles.nvidia_driver.deploy import nvidia_driver

nvidia_driver()
