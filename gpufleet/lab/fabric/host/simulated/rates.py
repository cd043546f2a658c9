"""What a link carries, as the kernel and the programs of rdma-core say it."""

from __future__ import annotations

from .client import PortState

LANES = {1: 1, 2: 4, 4: 8, 8: 12, 16: 2}
#: Name and rate of a lane in 100 Mb/s, by active speed and by active extended speed.
SPEEDS = {1: ("SDR", 25), 2: ("DDR", 50), 4: ("QDR", 100)}
EXTENDED = {1: ("FDR", 140), 2: ("EDR", 250), 4: ("HDR", 500), 8: ("NDR", 1000)}


def rate(port: PortState) -> str:
    """Return `400 Gb/sec (4X NDR)`."""
    name, lane = EXTENDED.get(port.extended) or SPEEDS.get(port.speed, ("SDR", 25))
    lanes = LANES.get(port.width, 0)
    whole, rest = divmod(lanes * lane, 10)
    return f"{whole}{'.5' if rest else ''} Gb/sec ({lanes}X {name})"
