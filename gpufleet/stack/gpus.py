"""NVIDIA GPUs and switches among PCI devices, and the names of data-center GPUs."""

from __future__ import annotations

from collections.abc import Iterable

from gpufleet.facts.hardware import PciDevice
from gpufleet.stack.matrix import load

NVIDIA = "10de"


def nvidia_gpus(devices: Iterable[PciDevice]) -> list[PciDevice]:
    """Return the NVIDIA GPUs: display (0300) and 3D (0302) controllers."""
    return [device for device in devices if device.vendor == NVIDIA and device.class_code[:4] in {"0300", "0302"}]


def nvswitches(devices: Iterable[PciDevice]) -> list[PciDevice]:
    """Return the NVSwitches: NVIDIA's bridges of no standard kind (0680)."""
    return [device for device in devices if device.vendor == NVIDIA and device.class_code[:4] == "0680"]


def product(device_id: str) -> str | None:
    """Return the name of a data-center GPU by PCI device id, None for any other."""
    row = load().product(device_id)
    return row.name if row else None
