"""ifupdown, Debian's own: one file of stanzas, and a udev rule for mode and partitions."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from gpufleet.network import mode_rules
from gpufleet.network.files import File
from gpufleet.network.links import Link

PATH = "etc/network/interfaces.d/gpufleet-ipoib"


def files(links: Sequence[Link]) -> tuple[File, ...]:
    """Return the file of all links."""
    return (mode_rules.file(links), File(f"/{PATH}", PATH, {"links": links})) if links else ()


def apply(links: Sequence[Link]) -> tuple[str, ...]:
    """Take the links down and up again; one that is not up yet cannot be taken down."""
    names = shlex.join(link.name for link in links)
    return (*mode_rules.apply(links), f"ifdown --force {names} 2>/dev/null; ifup {names}")
