"""The PCI devices of a lab host: files that sysfs would have, and the drivers bound to them."""

from __future__ import annotations

import fnmatch
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from . import paths

_SPEEDS = {2.5: 1, 5.0: 2, 8.0: 3, 16.0: 4, 32.0: 5, 64.0: 6}
_CAPABILITY, _VPD = 0x60, 0xA0


class Device(NamedTuple):
    """One function on the bus, as the profile describes it."""

    address: str
    numa: int
    vendor: int
    device: int
    class_code: int
    subsystem: tuple[int, int]
    revision: int
    speed: float
    width: int
    position: int
    vpd: dict[str, str]

    @property
    def modalias(self) -> str:
        """The string that modules.alias is matched against."""
        base, sub, interface = self.class_code >> 16, self.class_code >> 8 & 0xFF, self.class_code & 0xFF
        vendor, device = self.subsystem
        return (
            f"pci:v{self.vendor:08X}d{self.device:08X}sv{vendor:08X}sd{device:08X}"
            f"bc{base:02X}sc{sub:02X}i{interface:02X}"
        )

    @property
    def irq(self) -> int:
        """Interrupt number: any, but the same at every boot."""
        return 24 + self.position

    @property
    def window(self) -> int:
        """Address of the first memory region, 16 MiB each."""
        return 0x90000000 + self.position * 0x1000000


def devices(profile: dict[str, Any]) -> list[Device]:
    """All devices of a profile in bus order."""
    found = [(address, int(node), group) for group in profile["pci"] for node, addresses in group["addresses"].items()
             for address in addresses]  # fmt: skip
    return [_device(index, *entry) for index, entry in enumerate(sorted(found, key=lambda entry: entry[0]))]


def _device(index: int, address: str, numa: int, group: dict[str, Any]) -> Device:
    vendor, device = group["subsystem"].split(":")
    return Device(
        address,
        numa,
        int(group["vendor"], 16),
        int(group["device"], 16),
        int(group["class_code"], 16),
        (int(vendor, 16), int(device, 16)),
        int(group["revision"], 16),
        float(group["link_speed"]),
        int(group["link_width"]),
        index,
        group.get("vpd", {}),
    )


def config_space(device: Device) -> bytes:
    """256 bytes of configuration space: standard header and a PCI Express capability with the link."""
    space = bytearray(256)
    struct.pack_into("<HHHH", space, 0, device.vendor, device.device, 0x0406, 0x0010)
    struct.pack_into("<I", space, 8, device.class_code << 8 | device.revision)
    struct.pack_into("<I", space, 0x10, device.window)
    struct.pack_into("<HH", space, 0x2C, *device.subsystem)
    struct.pack_into("<B", space, 0x34, _CAPABILITY)
    struct.pack_into("<BB", space, 0x3C, 0xFF, 1)
    link = _SPEEDS[device.speed] | device.width << 4
    struct.pack_into("<BBH", space, _CAPABILITY, 0x10, _VPD if device.vpd else 0, 0x0002)
    if device.vpd:
        struct.pack_into("<BB", space, _VPD, 0x03, 0)
    struct.pack_into("<I", space, _CAPABILITY + 0x0C, link)
    struct.pack_into("<H", space, _CAPABILITY + 0x12, link)
    return bytes(space)


def vital_product_data(fields: dict[str, str]) -> bytes:
    """A device's VPD: the product's name, read-only fields of two characters each, checksum and end (PCI 3.0, I.)."""
    name = fields.get("name", "").encode()
    pairs = {key: value.encode() for key, value in fields.items() if key != "name"}
    body = b"".join(key.encode() + bytes([len(value)]) + value for key, value in pairs.items())
    start = (
        b"\x82" + struct.pack("<H", len(name)) + name + b"\x90" + struct.pack("<H", len(body) + 4) + body + b"RV\x01"
    )
    return start + bytes([-sum(start) & 0xFF]) + b"\x78"


def files(device: Device) -> dict[str, str]:
    """Text files of a device's folder in sysfs."""
    speed, end = f"{device.speed} GT/s PCIe", device.window + 0xFFFFFF
    regions = [f"{device.window:#018x} {end:#018x} {0x40200:#018x}", *[f"{0:#018x} {0:#018x} {0:#018x}"] * 12]
    vendor, sub = device.subsystem
    identity = f"PCI_CLASS={device.class_code:X}\nPCI_ID={device.vendor:04X}:{device.device:04X}\n"
    return {
        "vendor": f"{device.vendor:#06x}",
        "device": f"{device.device:#06x}",
        "class": f"{device.class_code:#08x}",
        "revision": f"{device.revision:#04x}",
        "subsystem_vendor": f"{vendor:#06x}",
        "subsystem_device": f"{sub:#06x}",
        "irq": str(device.irq),
        "resource": "\n".join(regions),
        "numa_node": str(device.numa),
        "current_link_speed": speed,
        "current_link_width": str(device.width),
        "max_link_speed": speed,
        "max_link_width": str(device.width),
        "modalias": device.modalias,
        "enable": "1",
        "uevent": f"{identity}PCI_SUBSYS_ID={vendor:04X}:{sub:04X}\nPCI_SLOT_NAME={device.address}\n"
        f"MODALIAS={device.modalias}",
    }


def write_tree(found: list[Device]) -> None:
    """Write the folder of every device, none bound to a driver."""
    for device in found:
        folder = paths.DEVICES / device.address
        for name, content in files(device).items():
            paths.put(folder / name, content)
        write_config(device.address, config_space(device))
        if device.vpd:
            (folder / "vpd").write_bytes(vital_product_data(device.vpd))
            (folder / "vpd").chmod(0o600)
        paths.link(folder / "subsystem", paths.DEVICES.parent)


def write_config(address: str, space: bytes) -> None:
    """Replace a device's configuration space; a device that is off the bus reads as all ones."""
    path = paths.DEVICES / address / "config"
    path.unlink(missing_ok=True)
    path.write_bytes(space)
    path.chmod(0o644)


def folders() -> Iterator[Path]:
    """Folder of every device on the bus, in bus order."""
    yield from sorted(paths.DEVICES.iterdir()) if paths.DEVICES.is_dir() else ()


def driver_of(folder: Path) -> str:
    """Name of the driver bound to a device, or nothing."""
    path = folder / "driver"
    return path.readlink().name if path.is_symlink() else ""


def bind(driver: str, aliases: list[str]) -> None:
    """Bind a driver to every free device that one of its aliases matches."""
    for folder in folders():
        modalias = paths.text(folder / "modalias")
        if not driver_of(folder) and any(fnmatch.fnmatchcase(modalias, alias) for alias in aliases):
            paths.link(paths.DRIVERS / driver / folder.name, folder)
            paths.link(folder / "driver", paths.DRIVERS / driver)
    if (paths.DRIVERS / driver).is_dir():
        paths.link(paths.DRIVERS / driver / "module", paths.MODULES / driver)


def unbind(driver: str) -> None:
    """Free every device of a driver that goes away."""
    for folder in folders():
        if driver_of(folder) == driver:
            (folder / "driver").unlink()
    if (paths.DRIVERS / driver).is_dir():
        for entry in (paths.DRIVERS / driver).iterdir():
            entry.unlink()
        (paths.DRIVERS / driver).rmdir()
