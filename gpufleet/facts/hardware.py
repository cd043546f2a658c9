"""What the machine is: PCI devices, firmware (DMI) strings, operating system. Facts only, hardware is not changed."""

from __future__ import annotations

from dataclasses import dataclass

from pyinfra.api.facts import FactBase
from typing_extensions import override


@dataclass(frozen=True, order=True)
class PciDevice:
    """One PCI function, its numbers in lowercase hexadecimal without `0x`, as in the pci.ids data base."""

    address: str
    vendor: str
    device: str
    class_code: str
    subsystem: str = ""


class PciDevices(FactBase[list[PciDevice]]):
    """PCI devices of the host, by address, from sysfs: no pciutils needed."""

    default = list

    @override
    def command(self) -> str:
        """Print address, vendor, device, class and subsystem of every device, one device a line."""
        return (
            "for d in /sys/bus/pci/devices/*; do "
            '[ -r "$d/vendor" ] && [ -r "$d/device" ] && [ -r "$d/class" ] || continue; '
            's=""; t=""; '
            'read -r v <"$d/vendor"; read -r i <"$d/device"; read -r c <"$d/class"; '
            '[ -r "$d/subsystem_vendor" ] && read -r s <"$d/subsystem_vendor"; '
            '[ -r "$d/subsystem_device" ] && read -r t <"$d/subsystem_device"; '
            'echo "${d##*/} $v $i $c $s $t"; done; true'
        )

    @override
    def process(self, output: list[str]) -> list[PciDevice]:
        """Parse `0000:18:00.0 0x10de 0x2330 0x030200 0x10de 0x16c1`; the last two may be missing."""
        return sorted(_device(line.split()) for line in output if len(line.split()) >= 4)


def _device(words: list[str]) -> PciDevice:
    address, *numbers = words
    vendor, device, class_code, *subsystem = (number.lower().removeprefix("0x") for number in numbers)
    return PciDevice(address, vendor, device, class_code.zfill(6), ":".join(subsystem) if len(subsystem) == 2 else "")


#: DMI fields that say which machine or cloud this is; serial numbers are left where they are.
DMI_FIELDS = (
    "bios_vendor",
    "bios_version",
    "board_name",
    "board_vendor",
    "chassis_asset_tag",
    "chassis_vendor",
    "product_family",
    "product_name",
    "product_version",
    "sys_vendor",
)


class Dmi(FactBase[dict[str, str]]):
    """Firmware strings such as `sys_vendor` and `product_name`; empty where the host has no DMI."""

    default = dict

    @override
    def command(self) -> str:
        """Print the fields, each line after its file name."""
        files = " ".join(f"/sys/class/dmi/id/{field}" for field in DMI_FIELDS)
        return f"grep -sH '' {files} || true"

    @override
    def process(self, output: list[str]) -> dict[str, str]:
        """Parse `/sys/class/dmi/id/sys_vendor:Supermicro`."""
        pairs = (line.partition(":") for line in output)
        return {path.rpartition("/")[2]: value.strip() for path, _, value in pairs if value.strip()}


@dataclass(frozen=True)
class Os:
    """An operating system as its os-release file names it."""

    id: str
    version_id: str
    codename: str


class OsRelease(FactBase[Os]):
    """Operating system by os-release: `Os("debian", "12", "bookworm")`; empty strings where nothing is said."""

    @staticmethod
    @override
    def default() -> Os:
        """Say nothing of a host without an os-release file."""
        return Os("", "", "")

    @override
    def command(self) -> str:
        """Print the administrator's os-release, else the vendor's."""
        return "cat /etc/os-release 2>/dev/null || cat /usr/lib/os-release 2>/dev/null || true"

    @override
    def process(self, output: list[str]) -> Os:
        """Parse shell assignments; os-release allows quotes of both kinds."""
        pairs = (line.partition("=") for line in output if "=" in line and not line.startswith("#"))
        values = {key.strip(): value.strip().strip("\"'") for key, _, value in pairs}
        return Os(values.get("ID", ""), values.get("VERSION_ID", ""), values.get("VERSION_CODENAME", ""))


class Architecture(FactBase[str]):
    """Processor architecture as the kernel names it: `x86_64` or `aarch64`."""

    default = str

    @override
    def command(self) -> str:
        """Ask the kernel."""
        return "uname -m"

    @override
    def process(self, output: list[str]) -> str:
        """Take the one word."""
        return output[0].strip() if output else ""


#: What the vital product data of a bridge say where the NVLink switches behind it are managed by software.
NVLINK_MARK = "SW_MNG"
#: PCI vendor of these bridges: Mellanox, part of NVIDIA.
MELLANOX = "15b3"


class NvlinkBridges(FactBase[list[str]]):
    """PCI addresses of the Mellanox bridges by which the host manages its NVLink 5 switches; reading them takes root.

    Their vital product data tell them from network adapters, as NVIDIA's own start script of fabric manager does.
    """

    default = list

    @override
    def command(self) -> str:
        """Look for the mark in the product data of Mellanox devices alone: reading others' can take seconds."""
        return (
            'for d in /sys/bus/pci/devices/*; do [ -r "$d/vendor" ] && [ -r "$d/vpd" ] || continue; '
            f'read -r v <"$d/vendor"; [ "$v" = 0x{MELLANOX} ] || continue; '
            f'if grep -aqs {NVLINK_MARK} "$d/vpd"; then echo "${{d##*/}}"; fi; done; true'
        )

    @override
    def process(self, output: list[str]) -> list[str]:
        """One address a line."""
        return sorted(line.strip() for line in output)
