"""The container hosts of a running lab (`gpufleet lab up`), as pyinfra sees them; GPUFLEET_LAB names the lab."""

from gpufleet.lab.inventory import hosts, names

gpu_hosts = hosts()
debian_12 = names(os="debian-12")
debian_13 = names(os="debian-13")
