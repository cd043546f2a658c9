"""The GPUs of a lab host: what the profile says of them, seen through the faults that are on."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, NamedTuple

from . import paths


class Gpu(NamedTuple):
    """One GPU, in NVML's order, which is the order of the bus."""

    minor: int
    address: str
    name: str
    memory: int
    uuid: str
    serial: str
    vbios: str
    device_id: str
    subsystem_id: str
    lost: bool
    uncorrected: int
    remap_pending: bool

    @property
    def bus_id(self) -> str:
        """The address as NVML writes it: a domain of eight digits, in capitals."""
        domain, rest = self.address.split(":", 1)
        return f"0000{domain}:{rest}".upper()


def is_gpu(folder: Path) -> bool:
    """Whether a PCI device is a display or 3D controller of NVIDIA."""
    return paths.text(folder / "vendor") == "0x10de" and paths.text(folder / "class").startswith("0x03")


def is_fabric(folder: Path) -> bool:
    """Whether a PCI device is an NVSwitch, or the port by which switches of NVLink 5 are managed."""
    is_switch = paths.text(folder / "vendor") == "0x10de" and paths.text(folder / "class") == "0x068000"
    return is_switch or "SW_MNG" in paths.text(folder / "vpd")


def seed() -> str:
    """What makes this host's serial numbers its own; kept beside the profile, so that a new name changes nothing."""
    path = paths.CONFIGURATION / "identity"
    if not path.exists():
        paths.put(path, paths.text(paths.ROOT / "etc/hostname", "lab"))
    return paths.text(path)


def _digest(index: int, what: str) -> str:
    return hashlib.sha256(f"{seed()}/{index}/{what}".encode()).hexdigest()


def _uuid(index: int) -> str:
    digits = _digest(index, "uuid")
    return f"GPU-{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:32]}"


def _gpu(index: int, folder: Path, card: dict[str, Any], faults: dict[str, Any]) -> Gpu:
    return Gpu(
        index,
        folder.name,
        card["name"],
        card["memory_mib"],
        _uuid(index),
        str(1650000000000 + int(_digest(index, "serial")[:9], 16) % 10**10),
        card["vbios"],
        (paths.text(folder / "device")[2:] + paths.text(folder / "vendor")[2:]).upper(),
        (paths.text(folder / "subsystem_device")[2:] + paths.text(folder / "subsystem_vendor")[2:]).upper(),
        faults.get("gpu-lost") == index,
        1 if faults.get("ecc-uncorrectable") == index else 0,
        faults.get("remap-pending") == index,
    )


def installed() -> list[Gpu]:
    """All GPUs on the bus, lost ones included."""
    card, faults = paths.configured("profile.json").get("gpu"), paths.configured("faults.json")
    folders = sorted(path for path in paths.DEVICES.iterdir() if is_gpu(path)) if card else []
    return [_gpu(index, folder, card, faults) for index, folder in enumerate(folders)] if card else []
