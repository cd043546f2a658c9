"""The container hosts of a running lab (`gpufleet lab up`), as pyinfra sees them; GPUFLEET_LAB names the lab."""

from gpufleet.lab.inventory import hosts, names

gpu_hosts = hosts()
debian_12 = names(os="debian-12")
debian_13 = names(os="debian-13")
ubuntu_22_04_stand_in = names(os="ubuntu-22.04-stand-in")
ubuntu_24_04_stand_in = names(os="ubuntu-24.04-stand-in")
rocky_9_stand_in = names(os="rocky-9-stand-in")
rocky_10_stand_in = names(os="rocky-10-stand-in")
