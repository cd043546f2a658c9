"""Faults of the lab, and what the checks of the role `nvidia_driver` say while they last."""

from __future__ import annotations

from collections.abc import Mapping

#: Checks that cannot pass where nvidia-smi does not answer.
ASK_NVIDIA_SMI = (
    "every_gpu_on_the_bus_answers",
    "persistence_mode_is_on",
    "memory_has_no_uncorrected_errors",
    "no_row_remap_is_pending",
    "no_row_remap_has_failed",
)


#: Faults of the lab by kind and value, and what the checks say while they last.
FAULTS: dict[tuple[str, str], Mapping[str, str]] = {
    ("gpu-lost", "3"): {
        **dict.fromkeys(
            ASK_NVIDIA_SMI,
            "nvidia-smi: expected exit status 0, found 255: Unable to determine the device handle for GPU{lost}: "
            "Unknown Error",
        ),
        "kernel_log_has_no_severe_xid": "kernel log: expected no severe Xid since boot, found Xid 79 of GPU "
        "{lost_slot} (GPU fell off the bus; drain and reboot, replace it when it comes back)",
    },
    ("xid", "74"): {
        "kernel_log_has_no_severe_xid": "kernel log: expected no severe Xid since boot, found Xid 74 of GPU {slot} "
        "(NVLink error; drain and diagnose)",
    },
    ("xid", "31"): {},
    ("ecc-uncorrectable", "0"): {
        "memory_has_no_uncorrected_errors": "uncorrected memory errors since the driver was loaded: expected 0, "
        "found 1 on {gpu}",
        "kernel_log_has_no_severe_xid": "kernel log: expected no severe Xid since boot, found Xid 48 of GPU {slot} "
        "(double bit memory error; drain, reset the GPU, replace it when it comes back)",
    },
    ("remap-pending", "0"): {
        "no_row_remap_is_pending": "row remapping: expected none pending, found it on {gpu}; reset the GPU",
    },
}
