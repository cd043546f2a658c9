"""NVIDIA GPUs and switches by PCI id: which generation, and which kernel modules suit it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from gpufleet.facts.hardware import PciDevice

Flavor = Literal["open", "proprietary"]

NVIDIA = "10de"


def nvidia_gpus(devices: Iterable[PciDevice]) -> list[PciDevice]:
    """Return the NVIDIA GPUs: display (0300) and 3D (0302) controllers."""
    return [device for device in devices if device.vendor == NVIDIA and device.class_code[:4] in {"0300", "0302"}]


def nvswitches(devices: Iterable[PciDevice]) -> list[PciDevice]:
    """Return the NVSwitches: NVIDIA's bridges of no standard kind (0680)."""
    return [device for device in devices if device.vendor == NVIDIA and device.class_code[:4] == "0680"]


def generation(device_id: str) -> str | None:
    """Return the generation of a GPU by PCI device id, None for one the table does not know."""
    return {"2330": "hopper", "26b9": "ada"}.get(device_id)


def default_flavor(device_ids: Sequence[str], branch: int) -> tuple[Flavor, str]:
    """Return the kernel modules to install for these GPUs and driver branch, and the reason in a few words."""
    return "proprietary", "placeholder"
