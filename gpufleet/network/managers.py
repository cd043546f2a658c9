"""The network managers: the files by which each is told about links, and the commands that put them in force.

No command touches another interface than the links: no `netplan apply`, no restart of a service.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from gpufleet.network import ifupdown, netplan, networkd, networkmanager
from gpufleet.network.files import File
from gpufleet.network.links import Link

Name = Literal["networkd", "netplan", "ifupdown", "networkmanager"]
NAMES: tuple[Name, ...] = get_args(Name)


@dataclass(frozen=True)
class Manager:
    """How one network manager is told."""

    files: Callable[[Sequence[Link]], tuple[File, ...]]
    apply: Callable[[Sequence[Link]], tuple[str, ...]]


TABLE: Mapping[Name, Manager] = {
    "networkd": Manager(networkd.files, networkd.apply),
    "netplan": Manager(netplan.files, netplan.apply),
    "ifupdown": Manager(ifupdown.files, ifupdown.apply),
    "networkmanager": Manager(networkmanager.files, networkmanager.apply),
}

#: Where a file written from here may lie, whichever manager was told; shell patterns.
PLACES = (
    "/etc/systemd/network/05-gpufleet-*",
    "/etc/netplan/70-gpufleet-ipoib.yaml",
    "/etc/network/interfaces.d/gpufleet-ipoib",
    "/etc/NetworkManager/system-connections/gpufleet-*.nmconnection",
    "/etc/udev/rules.d/85-gpufleet-ipoib.rules",
)


def delete(parent: str, name: str, key: int) -> str:
    """Return the command that removes a partition's interface, whether netlink or sysfs made it."""
    place, old = f"/sys/class/net/{shlex.quote(parent)}/delete_child", f"/sys/class/net/{shlex.quote(name)}"
    return f"ip link delete dev {shlex.quote(name)} 2>/dev/null; [ ! -e {old} ] || printf '%s\\n' {key:#06x} > {place}"
