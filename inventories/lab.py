"""The container hosts of a running lab (`gpufleet lab up`), as pyinfra sees them; GPUFLEET_LAB names the lab."""

from gpufleet.lab.inventory import hosts

gpu_hosts = hosts()
debian_12 = hosts(os="debian-12")
debian_13 = hosts(os="debian-13")
