"""Hosts with L40S cards on PCIe: inference, no NVLink."""

nvidia_driver = {
    "version": "535.261.03",
    # These hosts are drained by hand before a deploy: they may reboot in it.
    "reboot": "if-required",
    # Seconds from the reboot until the host answers again: long firmware self-tests need patience.
    "reboot_timeout": 1800,
}
