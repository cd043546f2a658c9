"""A plan made of what is cabled: roles of switches and rails are inferred, what cannot be is said."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from gpufleet.fabric.discovered import Discovered, Node
from gpufleet.fabric.meeting import worse
from gpufleet.fabric.ports import SPEEDS, WIDTHS, Port, guid_text

#: What rdma-ndd calls a device, `%h %d` in its own notation; anything else is a vendor's text.
_HOST_AND_DEVICE = re.compile(r"([A-Za-z0-9][\w.-]*) ([A-Za-z][\w.-]*)")
_NO_NAME = re.compile(r"[^\w.;:/-]")


@dataclass
class Imported:
    """A plan's content, ready to be written, and what the text of ibnetdiscover did not tell."""

    roles: dict[str, str] = field(default_factory=dict)
    leaf_rails: dict[str, int] = field(default_factory=dict)
    device_rails: dict[str, int] = field(default_factory=dict)
    guids: dict[str, int] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    #: Each cable once, with the speed and width of its link.
    links: list[tuple[Port, Port, str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def infer(found: Discovered) -> Imported:
    """Return the plan that describes exactly what was found."""
    result = Imported()
    names = dict(_names(found.nodes, result.notes))
    for guid, name in names.items():
        result.guids[name] = guid
        if found.nodes[guid].kind == "switch":
            result.ports[name] = found.nodes[guid].ports
    result.links.extend(_links(found, names))
    neighbors: dict[str, set[str]] = defaultdict(set)
    for a, b, *_ in result.links:
        neighbors[a.node].add(b.node)
        neighbors[b.node].add(a.node)
    _roles(result, neighbors)
    _rails(result, neighbors)
    return result


def _names(nodes: Mapping[int, Node], notes: list[str]) -> Iterator[tuple[int, str]]:
    """Yield a name for each node: its own where it is usable and the only one, else one made of its GUID."""
    often = Counter(node.description for node in nodes.values())
    for guid, node in nodes.items():
        pattern = _NO_NAME.search(node.description) is None if node.kind == "switch" else _HOST_AND_DEVICE.fullmatch(
            node.description
        )  # fmt: skip
        if pattern and often[node.description] == 1 and node.description:
            yield guid, node.description
            continue
        name = f"switch-{guid:016x}" if node.kind == "switch" else f"host-{guid:016x} device"
        why = "which several nodes are called" if often[node.description] > 1 else "which is no name of its own"
        notes.append(f"{guid_text(guid)} calls itself {node.description!r}, {why}: written as {name}")
        yield guid, name


def _links(found: Discovered, names: Mapping[int, str]) -> Iterator[tuple[Port, Port, str, str]]:
    """Yield each cable once, with a switch's port first."""
    for here, seen in found.ends.items():
        if here.guid not in names or seen.other.guid not in names:
            continue
        back = found.ends.get(seen.other)
        mutual = back is not None and back.other == here
        if mutual and (found.nodes[here.guid].kind != "switch", here) > (
            found.nodes[seen.other.guid].kind != "switch",
            seen.other,
        ):
            continue
        speed, width = worse(seen, back) if back else (seen.speed, seen.width)
        yield Port(names[here.guid], here.port), Port(names[seen.other.guid], seen.other.port), speed, width


def _roles(result: Imported, neighbors: Mapping[str, set[str]]) -> None:
    """Take switches with devices for leaves, their neighbors for spines, what is farther for the core."""
    level = {name for name in result.ports if any(other not in result.ports for other in neighbors[name])}
    for role in ("leaf", "spine", "core"):
        result.roles |= dict.fromkeys(level, role)
        level = {other for name in level for other in neighbors[name] if other in result.ports} - result.roles.keys()
    for name in result.ports:
        if name not in result.roles:
            result.roles[name] = "core"
            result.notes.append(f"{name}: no leaf is near: written as core")


def _rails(result: Imported, neighbors: Mapping[str, set[str]]) -> None:
    """Number rails by the order of a host's devices; a leaf whose devices disagree has none."""
    devices: dict[str, list[str]] = defaultdict(list)
    for name in result.guids:
        if name not in result.ports:
            devices[name.partition(" ")[0]].append(name)
    place = {name: n for of in devices.values() for n, name in enumerate(sorted(of, key=_natural), 1)}
    for leaf in (name for name, role in result.roles.items() if role == "leaf"):
        seen = Counter(place[name] for name in neighbors[leaf] if name in place)
        (rail, count), total = seen.most_common(1)[0], sum(seen.values())
        if 2 * count > total:
            result.leaf_rails[leaf] = rail
        else:
            result.notes.append(f"{leaf}: devices of several rails are cabled to it: written without a rail")
    for name, guess in place.items():
        rails = {result.leaf_rails.get(leaf) for leaf in neighbors[name] if leaf in result.ports}
        actual = rails.pop() if len(rails) == 1 else None
        if actual is not None:
            result.device_rails[name] = actual
        if actual not in {None, guess}:
            result.notes.append(f"{name}: expected on rail {guess} by its name, cabled to rail {actual}: written so")


def _natural(name: str) -> list[tuple[int, str]]:
    """Sort key by which mlx5_2 comes before mlx5_10."""
    return [(int(part or 0), text) for text, part in re.findall(r"(\D*)(\d*)", name)]


def usual(result: Imported) -> tuple[str, str]:
    """Return the speed and the width that most links have."""
    speeds = Counter(speed for *_, speed, _ in result.links if speed in SPEEDS)
    widths = Counter(width for *_, width in result.links if width in WIDTHS)
    return (
        speeds.most_common(1)[0][0] if speeds else SPEEDS[-1],
        widths.most_common(1)[0][0] if widths else "4x",
    )
