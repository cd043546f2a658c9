"""IPoIB links: as they are wanted, as a host has them, and what must not be touched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

Mode = Literal["datagram", "connected"]

#: Partition keys that a child interface can have: full members, without the default partition 0xffff of its parent.
FIRST_KEY, LAST_KEY = 0x8001, 0xFFFE

#: Largest MTU in bytes: an InfiniBand MTU of 4,096 less IPoIB's 4 bytes, and the largest IP packet less its rounding.
#: Source: Linux, Documentation/infiniband/ipoib.rst, read 2026-11-23.
LARGEST_MTU: Mapping[Mode, int] = {"datagram": 4092, "connected": 65520}


@dataclass(frozen=True)
class Link:
    """One IPoIB interface as it is wanted; a child of another one where it has a partition key."""

    name: str
    mode: Mode = "datagram"
    #: In bytes; none leaves the kernel's choice.
    mtu: int | None = None
    #: With prefix length: `10.30.0.7/16`.
    addresses: tuple[str, ...] = ()
    parent: str = ""
    key: int = 0


@dataclass(frozen=True, order=True)
class IbInterface:
    """One IPoIB interface as the host has it; `device` and `port` are those of the RDMA device below it."""

    name: str
    device: str = ""
    port: int = 1
    parent: str = ""
    key: int = 0
    mode: str = ""
    mtu: int = 0
    addresses: tuple[str, ...] = ()


def child(parent: str, key: int) -> str:
    """Return the kernel's name of the interface of a partition: `ib0.8001`."""
    return f"{parent}.{key:04x}"


def resolved(wanted: Iterable[Link], found: Mapping[str, IbInterface]) -> tuple[tuple[Link, ...], list[str]]:
    """Put interfaces in place of RDMA devices such as `mlx5_0` or `mlx5_1/2`; names that mean neither come second."""
    by_device = {f"{item.device}/{item.port}": name for name, item in found.items() if item.device and not item.parent}
    links, unknown = list[Link](), list[str]()
    for link in wanted:
        given = link.parent or link.name
        name = given if given in found else by_device.get(given if "/" in given else f"{given}/1", "")
        if not name:
            unknown += [] if given in unknown else [given]
        elif link.parent:
            links.append(replace(link, parent=name, name=child(name, link.key)))
        else:
            links.append(replace(link, name=name))
    return tuple(links), unknown


def in_use(links: Sequence[Link], found: Mapping[str, IbInterface], needed: Mapping[str, str]) -> dict[str, str]:
    """Return those interfaces that would be touched and carry what must not be cut, each with what that is."""
    own = (name for link in links for name in (link.parent, link.name))
    names = dict.fromkeys([*own, *(item.name for item in unwanted_children(links, found))])
    return {name: needed[name] for name in names if name in needed}


def differing(links: Iterable[Link], found: Mapping[str, IbInterface]) -> list[Link]:
    """Return the links that the host does not have as they are wanted."""
    return [link for link in links if not _is_as_wanted(link, found.get(link.name))]


def unwanted_children(links: Sequence[Link], found: Mapping[str, IbInterface]) -> list[IbInterface]:
    """Return interfaces of partitions that nobody wants, below interfaces that are wanted."""
    names = {link.name for link in links}
    return sorted(item for item in found.values() if item.parent in names and item.name not in names)


def _is_as_wanted(link: Link, found: IbInterface | None) -> bool:
    return (
        found is not None
        and found.mode == link.mode
        and link.mtu in (None, found.mtu)
        and set(found.addresses) == set(link.addresses)
    )
