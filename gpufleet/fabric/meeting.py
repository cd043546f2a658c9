"""Let plan and discovery meet: by GUID where the plan has one, else by the name that a node gives itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from gpufleet.fabric.discovered import Discovered, Node, Place, Seen
from gpufleet.fabric.plan import Plan
from gpufleet.fabric.ports import SPEEDS, WIDTHS, Port, guid_text


class Far(NamedTuple):
    """The other end of a built cable, and what its link does."""

    port: Port
    speed: str
    width: str


@dataclass(frozen=True)
class Built:
    """What is cabled, in the plan's names."""

    far: Mapping[Port, Far]
    #: Name of each node found, by GUID.
    names: Mapping[int, str]
    #: GUID found under a planned name, where the plan has another one: (planned, found).
    replaced: Mapping[str, tuple[int, int]]
    #: Further nodes that give themselves a planned name which is taken.
    namesakes: Mapping[str, list[int]]
    #: Ports that several other ports claim to be cabled to, with those.
    claimed: Mapping[Port, list[Port]] = field(default_factory=dict)


def meet(plan: Plan, found: Discovered) -> Built:
    """Name what was found as the plan does; a stranger keeps its own name, with its GUID where that name is taken."""
    names, replaced, namesakes = _named(_planned_guids(plan), found.nodes, {*plan.switches, *plan.devices})
    far: dict[Port, Far] = {}
    claims: dict[Port, list[Port]] = defaultdict(list)
    for place, seen in found.ends.items():
        here, there = _port(names, place), _port(names, seen.other)
        claims[there].append(here)
        back = found.ends.get(seen.other)
        speed, width = (seen.speed, seen.width) if back is None else worse(seen, back)
        far[here] = Far(there, speed, width)
        far.setdefault(there, Far(here, speed, width))
    several = {port: sorted(claimers) for port, claimers in claims.items() if len(claimers) > 1}
    return Built(far, names, replaced, namesakes, several)


def worse(one: Seen, other: Seen) -> tuple[str, str]:
    """Return the lower speed and width that the two ends give, without what an end cannot name."""
    if one[1:] == other[1:]:
        return one.speed, one.width
    speeds = [s for s in (one.speed, other.speed) if s in SPEEDS]
    widths = [w for w in (one.width, other.width) if w in WIDTHS]
    return min(speeds, key=SPEEDS.index, default=one.speed), min(widths, key=WIDTHS.index, default=one.width)


def _port(names: dict[int, str], place: Place) -> Port:
    return Port(names.get(place.guid) or guid_text(place.guid), place.port)


def _planned_guids(plan: Plan) -> dict[str, int]:
    named = [(name, row.guid) for name, row in plan.switches.items()]
    named += [(name, row.guid) for name, row in plan.devices.items()]
    return {name: int(guid, 16) for name, guid in named if guid is not None}


def _named(
    guids: dict[str, int], nodes: Mapping[int, Node], planned: set[str]
) -> tuple[dict[int, str], dict[str, tuple[int, int]], dict[str, list[int]]]:
    names = {guid: name for name, guid in guids.items() if guid in nodes}
    replaced: dict[str, tuple[int, int]] = {}
    namesakes: dict[str, list[int]] = defaultdict(list)
    taken = set(names.values())
    for guid, node in nodes.items():
        if guid in names:
            continue
        name = node.description
        if name in taken:
            if name in planned:
                namesakes[name].append(guid)
            name = f"{name} {guid_text(guid)}"
        elif name in guids:
            replaced[name] = (guids[name], guid)
        names[guid] = name
        taken.add(name)
    return names, replaced, namesakes
