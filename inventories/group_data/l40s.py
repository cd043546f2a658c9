"""Hosts with L40S cards on PCIe: inference, no NVLink."""

machine = {
    "os": "debian-12",
    "arch": "x86_64",
    "gpus": {"L40S": 4},
    "nvswitches": 0,
    "nvlink5": False,
    "rdma_adapters": 2,
    "platform": "bare-metal",
    "secure_boot": False,
}

nvidia_driver = {
    # An exact version, or a branch such as "580" for its newest release in the matrix.
    "version": "580.95.05",
    "source": "nvidia",
    # These hosts are drained by hand before a deploy: they may reboot in it.
    "reboot": "if-required",
    # Seconds from the reboot until the host answers again: long firmware self-tests need patience.
    "reboot_timeout": 1800,
}
