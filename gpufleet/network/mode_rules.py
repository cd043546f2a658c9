"""A udev rule for mode and partitions, for managers that do not know both: all but NetworkManager.

systemd-networkd knows no IPoIB before 250 (Ubuntu 22.04 has 249), and 252 (Debian 12) ignores the mode in a .network
file; netplan has no partition keys; ifupdown makes partitions, and leaves the mode alone.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from gpufleet.network.files import File
from gpufleet.network.links import Link

#: After 80-net-setup-link.rules, which gives interfaces their names.
PATH = "etc/udev/rules.d/85-gpufleet-ipoib.rules"


def file(links: Sequence[Link]) -> File:
    """Return the rule file of the links."""
    keys = {link.name: [other.key for other in links if other.parent == link.name] for link in links}
    return File(f"/{PATH}", PATH, {"links": links, "keys": keys})


def apply(links: Sequence[Link]) -> tuple[str, ...]:
    """Put the rule in force: on parents first, because they make the others."""
    parents = [f"/sys/class/net/{link.name}" for link in links if not link.parent]
    children = [f"/sys/class/net/{link.name}" for link in links if link.parent]
    waves = [wave for wave in (parents, children) if wave]
    return ("udevadm control --reload", *(f"udevadm trigger --settle --action=change {shlex.join(w)}" for w in waves))
