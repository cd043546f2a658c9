"""Hosts with Debian 13, in any inventory that has a group of this name; lab.py has."""

nvidia_driver = {"version": "550.163.01"}
