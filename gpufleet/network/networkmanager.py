"""NetworkManager: a connection of its own for each link, as a keyfile."""

from __future__ import annotations

import shlex
import uuid
from collections.abc import Sequence

from gpufleet.network.files import File
from gpufleet.network.links import Link

FOLDER = "/etc/NetworkManager/system-connections"
TEMPLATE = "etc/NetworkManager/system-connections/gpufleet-ipoib.nmconnection"
#: Names made below this one are the same on every run; NetworkManager asks only that a host has each once.
_NAMES = uuid.UUID("6d2f3d53-6c0b-4a54-9d3c-1f2f6c1f0a11")


def files(links: Sequence[Link]) -> tuple[File, ...]:
    """Return the keyfiles of the links; NetworkManager ignores one that others may read."""
    return tuple(File(_path(link), TEMPLATE, _context(link), mode="600") for link in links)


def apply(links: Sequence[Link]) -> tuple[str, ...]:
    """Read the keyfiles and activate the connections, parents first."""
    paths = shlex.join(_path(link) for link in links)
    ordered = sorted(links, key=lambda link: bool(link.parent))
    return (f"nmcli connection load {paths}", *(f"nmcli connection up gpufleet-{link.name}" for link in ordered))


def _context(link: Link) -> dict[str, object]:
    by_family = {six: [text for text in link.addresses if (":" in text) is six] for six in (False, True)}
    return {"link": link, "uuid": str(uuid.uuid5(_NAMES, link.name)), "ipv4": by_family[False], "ipv6": by_family[True]}


def _path(link: Link) -> str:
    return f"{FOLDER}/gpufleet-{link.name}.nmconnection"
