"""Lab hosts that stand in for Ubuntu 22.04: NVIDIA's packages come from the lab, signed by the lab's key."""

from gpufleet.lab.inventory import nvidia_repository

nvidia_driver = {"version": "580.95.05", "source": "nvidia", "repository": nvidia_repository()}
