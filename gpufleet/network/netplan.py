"""netplan with systemd-networkd below it: one YAML file, and a udev rule for what netplan does not know."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from gpufleet.network import mode_rules
from gpufleet.network.files import File
from gpufleet.network.links import Link

PATH = "etc/netplan/70-gpufleet-ipoib.yaml"


def files(links: Sequence[Link]) -> tuple[File, ...]:
    """Return the file of all links; netplan warns of one that others may read."""
    return (mode_rules.file(links), File(f"/{PATH}", PATH, {"links": links}, mode="600")) if links else ()


def apply(links: Sequence[Link]) -> tuple[str, ...]:
    """Generate networkd's files, and set up the links again; `netplan apply` would touch every interface."""
    names = shlex.join(link.name for link in links)
    return (*mode_rules.apply(links), "netplan generate", "networkctl reload", f"networkctl reconfigure {names}")
