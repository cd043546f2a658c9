"""Firmware settings of network adapters only."""

from roles.nic_firmware.deploy import nic_firmware

nic_firmware()
