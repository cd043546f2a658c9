"""systemd-networkd, from 250 on: a .network file for each link, and a .netdev file for each partition."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from gpufleet.network.files import File
from gpufleet.network.links import Link

FOLDER = "/etc/systemd/network"
#: Before the files of the distribution, of cloud-init and of netplan: the first that matches a link is the only one.
PREFIX = "05-gpufleet-"
NETWORK, NETDEV = "etc/systemd/network/gpufleet-ipoib.network", "etc/systemd/network/gpufleet-ipoib.netdev"


def files(links: Sequence[Link]) -> tuple[File, ...]:
    """Return the files of the links."""
    networks = [File(_path(link, "network"), NETWORK, _context(link, links)) for link in links]
    netdevs = [File(_path(link, "netdev"), NETDEV, {"link": link}) for link in links if link.parent]
    return (*networks, *netdevs)


def apply(links: Sequence[Link]) -> tuple[str, ...]:
    """Read the files, which makes new partitions, and set up the links again."""
    return ("networkctl reload", f"networkctl reconfigure {shlex.join(link.name for link in links if not link.parent)}")


def _context(link: Link, links: Sequence[Link]) -> dict[str, object]:
    return {"link": link, "children": [other.name for other in links if other.parent == link.name]}


def _path(link: Link, kind: str) -> str:
    return f"{FOLDER}/{PREFIX}{link.name}.{kind}"
