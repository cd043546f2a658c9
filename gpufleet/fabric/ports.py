"""Names of what a fabric is made of: ports, cables, speeds and widths."""

from __future__ import annotations

from typing import NamedTuple

#: Speeds of a lane from slow to fast, as ibnetdiscover prints them.
SPEEDS = ("SDR", "DDR", "QDR", "FDR10", "FDR", "EDR", "HDR", "NDR", "XDR")

#: Lanes of a link from narrow to wide, as ibnetdiscover prints them.
WIDTHS = ("1x", "2x", "4x", "8x", "12x")

#: The InfiniBand architecture numbers the ports of a node from 1 to 254; 0 is a switch's own management port.
HIGHEST_PORT = 254


class Port(NamedTuple):
    """One socket for a cable; a switch is known by its name, a host's adapter as `gpu-01 mlx5_0`."""

    node: str
    number: int

    def __str__(self) -> str:
        return f"{self.node}/{self.number}"


class Cable(NamedTuple):
    """A cable between two ports, with what its link shall be, or is."""

    a: Port
    b: Port
    speed: str
    width: str

    def __str__(self) -> str:
        return between(self.a, self.b)


def between(a: Port, b: Port) -> str:
    """Return the name of a cable: both its ends."""
    return f"{a} - {b}"


def guid_text(guid: int) -> str:
    """Return a GUID as the diagnostics print it: `0x506b4b0300a1b2c3`."""
    return f"0x{guid:016x}"
