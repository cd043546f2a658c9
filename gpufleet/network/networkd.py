"""systemd-networkd by itself: a .network file for each link, and a udev rule for mode and partitions."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from gpufleet.network import mode_rules
from gpufleet.network.files import File
from gpufleet.network.links import Link

FOLDER = "/etc/systemd/network"
#: Before the files of the distribution, of cloud-init and of netplan: the first that matches a link is the only one.
PREFIX = "05-gpufleet-"
TEMPLATE = "etc/systemd/network/gpufleet-ipoib.network"


def files(links: Sequence[Link]) -> tuple[File, ...]:
    """Return the files of the links."""
    networks = [File(f"{FOLDER}/{PREFIX}{link.name}.network", TEMPLATE, {"link": link}) for link in links]
    return (mode_rules.file(links), *networks) if links else ()


def apply(links: Sequence[Link]) -> tuple[str, ...]:
    """Read the files, and set up the links again."""
    names = shlex.join(link.name for link in links)
    return (*mode_rules.apply(links), "networkctl reload", f"networkctl reconfigure {names}")
