"""Hosts with Debian 12, in any inventory that has a group of this name; lab.py has."""

# Debian 12 has 535.216.03 (backports) and 535.261.03; `apt-cache madison nvidia-kernel-dkms` lists them.
nvidia_driver = {"version": "535.216.03"}
