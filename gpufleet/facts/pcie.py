"""Settings of PCI Express that decide how GPUs and network adapters reach each other: ACS and device control.

Registers by the PCI Express base specification: Device Control is at offset 8 of the PCI Express capability, with
relaxed ordering in bit 4 and the maximum read request in bits 12 to 14; ACS Control at offset 6 of the ACS capability.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pyinfra.api.facts import FactBase
from typing_extensions import override

from gpufleet.facts.hardware import MELLANOX

#: What setpci calls the registers.
DEVICE_CONTROL, ACS_CONTROL = "CAP_EXP+8.w", "ECAP_ACS+6.w"
RELAXED_ORDERING, MAX_READ_REQUEST = 0x0010, 0x7000

#: Shell words that print, one a line, the bridges above every NVIDIA GPU and every Mellanox network adapter.
BRIDGES = (
    "for d in /sys/bus/pci/devices/*; do "
    '[ -r "$d/vendor" ] && [ -r "$d/class" ] || continue; read -r v <"$d/vendor"; read -r c <"$d/class"; '
    f'case "$v $c" in "0x10de 0x03"*|"0x{MELLANOX} 0x02"*) ;; *) continue;; esac; '
    "readlink -f \"$d\" | tr / '\\n' | grep -xE '[0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}[.][0-7]' | sed '$d'; "
    "done | sort -u"
)


@dataclass(frozen=True, order=True)
class DeviceControl:
    """Device Control of one PCI function."""

    address: str
    #: Vendor and device, such as `15b3:1021`.
    kind: str
    value: int

    @property
    def max_read_request(self) -> int:
        """Bytes that one read request may ask for."""
        return 128 << ((self.value & MAX_READ_REQUEST) >> 12)

    @property
    def relaxed_ordering(self) -> bool:
        """Whether the device may mark its writes as free to pass others."""
        return bool(self.value & RELAXED_ORDERING)


class DeviceControls(FactBase[list[DeviceControl]]):
    """Device Control of every PCI Express function; none where setpci is not installed."""

    default = list

    @override
    def command(self) -> str:
        """Ask setpci for each function by itself, as it prints no addresses; others fail it."""
        return (
            "for d in /sys/bus/pci/devices/*; do "
            '[ -r "$d/vendor" ] && [ -r "$d/device" ] || continue; read -r v <"$d/vendor"; read -r i <"$d/device"; '
            f'r=$(setpci -s "${{d##*/}}" {DEVICE_CONTROL} 2>/dev/null) && echo "${{d##*/}} ${{v#0x}}:${{i#0x}} $r"; '
            "done; true"
        )

    @override
    def process(self, output: list[str]) -> list[DeviceControl]:
        """Parse `0000:18:00.0 15b3:1021 5936`."""
        rows = (line.split() for line in output if line.strip())
        return sorted(DeviceControl(address, kind, int(value, 16)) for address, kind, value in rows)


class AcsControls(FactBase[dict[str, int]]):
    """ACS Control of the bridges above GPUs and adapters, by address; bridges without ACS are left out."""

    default = dict

    @override
    def command(self) -> str:
        """Ask setpci, which fails for a bridge that has no such capability."""
        return (
            f'{BRIDGES} | while read -r b; do r=$(setpci -s "$b" {ACS_CONTROL} 2>/dev/null) && echo "$b $r"; done; true'
        )

    @override
    def process(self, output: list[str]) -> dict[str, int]:
        """Parse `0000:17:01.0 001d`."""
        rows: Sequence[list[str]] = [line.split() for line in output if line.strip()]
        return {address: int(value, 16) for address, value in rows}
