"""What `ibnetdiscover` prints: nodes, and every link from both its ends.

Format: infiniband-diags/ibnetdiscover.c of rdma-core, functions out_switch, out_switch_port, out_ca and out_ca_port.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from sys import intern
from typing import Literal, NamedTuple

from gpufleet.errors import GpufleetError

Kind = Literal["switch", "device", "router"]

_KINDS: dict[str, Kind] = {"Switch": "switch", "Ca": "device", "Rt": "router"}
_NODE = re.compile(r'(Switch|Ca|Rt)\t(\d+) "[SHR]-([0-9a-f]{16})"\s+# "(.*)"')
_SWITCH_PORT_GUID = re.compile(r"switchguid=0x[0-9a-f]+\(([0-9a-f]+)\)")
_LINK = re.compile(
    r'\[(\d+)\](?:\[ext \d+\])?(?:\(([0-9a-f]+)\))?\s+"[SHR]-([0-9a-f]{16})"\[(\d+)\]'
    r"(?:\[ext \d+\])?(?: ?\([0-9a-f]+\))?\s+# .* lid \d+ (\d+x|\?\?)(\w+|\?\?\?)"
)
#: A switch's own reduction engine answers as a device that no cable leads to.
_AGGREGATION = "Mellanox Technologies Aggregation Node"


class Place(NamedTuple):
    """A port as the fabric itself knows it."""

    guid: int
    port: int


class Seen(NamedTuple):
    """What one end of a link says: the other end, and the link's speed and width."""

    other: Place
    speed: str
    width: str


@dataclass(frozen=True)
class Node:
    """A switch, an RDMA device or a router."""

    guid: int
    kind: Kind
    #: What the node calls itself: `gpu-01 mlx5_0` where rdma-ndd runs.
    description: str
    ports: int


@dataclass
class Discovered:
    """Everything that one or several runs of ibnetdiscover saw."""

    nodes: dict[int, Node] = field(default_factory=dict)
    ends: dict[Place, Seen] = field(default_factory=dict)
    #: Places of the GUID of a port; more than one where it is not unique.
    port_guids: dict[int, set[Place]] = field(default_factory=dict)
    #: Nodes whose GUID another node of another name has, too.
    doubles: list[Node] = field(default_factory=list)
    #: Where a discovery began.
    starts: int = 0


def parse(lines: Iterable[str], where: str) -> Discovered:
    """Read ibnetdiscover's text; raises GpufleetError where there is none, or where it ends within a line."""
    found, node, switch_guid = Discovered(), None, 0
    for number, line in enumerate(lines, 1):
        if line.startswith("["):
            match = _LINK.match(line)
            if match is None or node is None:
                raise _broken(where, number, line)
            _add_link(found, node, match.groups())
        elif match := _SWITCH_PORT_GUID.match(line):
            switch_guid = int(match[1], 16)
        elif match := _NODE.match(line):
            node, switch_guid = _add_node(found, match, switch_guid), 0
        elif line.startswith("# Initiated from"):
            found.starts += 1
    if not found.nodes:
        cure = "save the output of `ibnetdiscover`"
        raise GpufleetError(where, expected="the text of ibnetdiscover", found="no node in it", cure=cure)
    return _without_aggregation(found)


def _broken(where: str, number: int, line: str) -> GpufleetError:
    found, cure = repr(line.strip()[:80]), "save the output of `ibnetdiscover` once more"
    return GpufleetError(f"{where}:{number}", expected="a link of a node", found=found, cure=cure)


def _add_node(found: Discovered, match: re.Match[str], switch_guid: int) -> Node:
    word, ports, guid, description = match.groups()
    node = Node(int(guid, 16), _KINDS[word], intern(description.strip()), int(ports))
    former = found.nodes.setdefault(node.guid, node)
    if former.description != node.description:
        found.doubles.append(node)
    if node.kind == "switch" and switch_guid:
        found.port_guids.setdefault(switch_guid, set()).add(Place(node.guid, 0))
    return node


def _add_link(found: Discovered, node: Node, parts: tuple[str | None, ...]) -> None:
    port, guid, other, other_port, width, speed = (part or "" for part in parts)
    place = Place(node.guid, int(port))
    found.ends[place] = Seen(Place(int(other, 16), int(other_port)), intern(speed), intern(width))
    if node.kind != "switch" and guid:
        found.port_guids.setdefault(int(guid, 16), set()).add(place)


def _without_aggregation(found: Discovered) -> Discovered:
    engines = {guid for guid, node in found.nodes.items() if node.description == _AGGREGATION}
    if engines:
        found.nodes = {guid: node for guid, node in found.nodes.items() if guid not in engines}
        found.ends = {
            place: seen
            for place, seen in found.ends.items()
            if place.guid not in engines and seen.other.guid not in engines
        }
    return found
