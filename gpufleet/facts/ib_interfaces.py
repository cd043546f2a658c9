"""IPoIB interfaces of a host as the kernel has them."""

from __future__ import annotations

from collections import defaultdict

from pyinfra.api.facts import FactBase
from typing_extensions import override

from gpufleet.network.links import IbInterface

#: Files below /sys/class/net/INTERFACE that are read, in this order.
_FILES = ("dev_port", "parent", "pkey", "mode", "mtu")


class IbInterfaces(FactBase[dict[str, IbInterface]]):
    """Every IPoIB interface, children included, by name; addresses are those of global scope that somebody set."""

    default = dict

    @override
    def command(self) -> str:
        """Find links of the hardware type InfiniBand (32), then ask for all addresses at once."""
        values = " ".join(f'"$(cat "$i/{name}" 2>/dev/null || echo -)"' for name in _FILES)
        return (
            'for i in /sys/class/net/*; do [ "$(cat "$i/type" 2>/dev/null)" = 32 ] || continue; '
            'd=$(ls "$i/device/infiniband" 2>/dev/null | head -n 1); '
            f'echo link "${{i##*/}}" "${{d:--}}" {values}; done; '
            "ip -o addr show scope global 2>/dev/null | sed 's/^/addr /'; true"
        )

    @override
    def process(self, output: list[str]) -> dict[str, IbInterface]:
        """Parse `link ib0 mlx5_0 0 - 0xffff datagram 4092` and `addr 5: ib0    inet 10.30.0.7/16 ...`."""
        rows = [line.split() for line in output]
        addresses: dict[str, list[str]] = defaultdict(list)
        for row in rows:
            if row[:1] == ["addr"] and len(row) > 4 and "dynamic" not in row:
                addresses[row[2]].append(row[4])
        links = [row[1:] for row in rows if row[:1] == ["link"] and len(row) == 8]
        return {row[0]: _interface(row, addresses[row[0]]) for row in links}


def _interface(row: list[str], addresses: list[str]) -> IbInterface:
    name, device, port, parent, key, mode, mtu = ("" if word == "-" else word for word in row)
    return IbInterface(
        name,
        device=device,
        port=int(port or 0) + 1,
        parent=parent,
        key=int(key or "0", 16) if parent else 0,
        mode=mode,
        mtu=int(mtu or 0),
        addresses=tuple(addresses),
    )
