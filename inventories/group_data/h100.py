"""Hosts with HGX H100 boards: eight H100 SXM5 behind four NVSwitches."""

nvidia_driver = {
    # One exact version, pinned and held. Fabric manager and every host of a job must have the same.
    "version": "535.261.03",
    # "auto" decides between open and proprietary kernel modules by GPU generation and branch: proprietary for 535.
    "flavor": "auto",
    # Keeps idle GPUs initialized, so that a job does not wait for them.
    "persistence": True,
    # Options of the kernel module `nvidia`; this one lets users that are not root read performance counters.
    "module_options": {"NVreg_RestrictProfilingToAdminUsers": 0},
    # Where a job holds the old module, record that a reboot is required and leave it to a rollout that drains first.
    "reboot": "never",
}
