"""Quality of service of RoCE: what is wanted of every port, what a port has, and where the two differ. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

#: ECN-capable transport, the two bits below the DSCP (RFC 3168).
ECT = 0b10
#: A GID that is an IPv4 address: ::ffff:0:0/96 as the kernel prints it.
_IPV4 = "0000:0000:0000:0000:0000:ffff:"
#: The type of GID that routes over IP, in the kernel's words.
ROCE_V2 = "RoCE v2"


@dataclass(frozen=True)
class Qos:
    """What is wanted of every port."""

    #: Whether a packet's priority is that of its DSCP, or that of its VLAN tag.
    by_dscp: bool
    #: Priority of each DSCP that counts: of the data and of congestion notifications.
    priorities: Mapping[int, int]
    #: Priorities that are paused instead of dropped.
    pfc: tuple[int, ...]
    #: Priorities whose congestion is notified; none turns it off.
    ecn: tuple[int, ...]
    cnp_dscp: int
    cnp_priority: int
    #: DSCP and ECN bits of what is sent, where the sender says nothing else.
    traffic_class: int
    mtu: int | None = None


@dataclass(frozen=True)
class PortQos:
    """What a port has; none where its driver does not say."""

    pfc: tuple[int, ...] | None = None
    #: Pairs of a DSCP and its priority; empty where VLAN tags are trusted.
    priorities: tuple[tuple[int, int], ...] | None = None
    ecn: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    cnp_dscp: int | None = None
    cnp_priority: int | None = None
    traffic_class: int | None = None
    #: Type of service of connections made by RDMA-CM.
    tos: int | None = None
    mtu: int | None = None


@dataclass(frozen=True, order=True)
class RocePort:
    """A port of an RDMA device whose link layer is Ethernet, and its network interface."""

    device: str
    number: int
    interface: str = ""
    #: Indexes of GIDs of type RoCE v2 that are IPv4 addresses of the interface itself.
    gids: tuple[int, ...] = ()


def is_ipv4(gid: str) -> bool:
    """Tell whether a GID as the kernel prints it is an IPv4 address."""
    return gid.startswith(_IPV4)


def traffic_class(dscp: int, *, ecn: bool) -> int:
    """Return the byte of the IP header: DSCP 26 with ECN is 106."""
    return dscp << 2 | (ECT if ecn else 0)


def differences(wanted: Qos, found: PortQos) -> dict[str, str]:
    """Return what is otherwise than wanted, as `expected ..., found ...` by name, without what the driver hides."""
    values = {name: (expected, live) for name, expected, live in _pairs(wanted, found) if live is not None}
    texts = {
        name: f"expected {expected}, found {live}" for name, (expected, live) in values.items() if expected != live
    }
    missing = {name: "expected it to be readable, found no answer" for name in ("PFC", "DSCP") if name not in values}
    return {**texts, **missing}


def hidden(wanted: Qos, found: PortQos) -> list[str]:
    """Return the names of what the driver does not show, so that nobody can tell whether it is as wanted."""
    return [name for name, _, live in _pairs(wanted, found) if live is None and name not in ("PFC", "DSCP")]


def choose(ports: Iterable[RocePort], named: Iterable[str] | None) -> tuple[list[RocePort], list[str]]:
    """Return the ports that interfaces or devices name, or all; names that mean no port come second."""
    there = [port for port in ports if port.interface]
    if named is None:
        return there, []
    chosen = [port for port in there if {port.interface, port.device} & set(named)]
    known = {name for port in there for name in (port.interface, port.device)}
    return chosen, [name for name in named if name not in known]


def common_index(ports: Iterable[RocePort]) -> int | None:
    """Return the lowest index at which every port has its GID; none where there is no such index."""
    together = set.intersection(*sets) if (sets := [set(port.gids) for port in ports]) else set()
    return min(together, default=None)


def _pairs(wanted: Qos, found: PortQos) -> Iterator[tuple[str, object, object]]:
    yield "PFC", list(wanted.pfc), None if found.pfc is None else list(found.pfc)
    yield "DSCP", *_priorities(wanted, found)
    for node in ("np", "rp"):
        live = found.ecn.get(node)
        yield f"ECN {node}", list(wanted.ecn), None if live is None else list(live)
    yield "CNP DSCP", wanted.cnp_dscp, found.cnp_dscp
    yield "CNP priority", wanted.cnp_priority, found.cnp_priority
    yield "traffic class", wanted.traffic_class, found.traffic_class
    yield "RDMA-CM type of service", wanted.traffic_class, found.tos
    if wanted.mtu is not None:
        yield "MTU", wanted.mtu, found.mtu


def _priorities(wanted: Qos, found: PortQos) -> tuple[object, object]:
    """Compare the DSCPs that count; drivers show all 64 as soon as they trust one."""
    if found.priorities is None:
        return dict(wanted.priorities), None
    there = dict(found.priorities)
    if not wanted.by_dscp:
        return {}, there
    return dict(wanted.priorities), {dscp: there.get(dscp) for dscp in wanted.priorities}
