"""GUIDs and names that are not unique, or not the planned ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator

from gpufleet.fabric.discovered import Discovered
from gpufleet.fabric.findings import Finding
from gpufleet.fabric.meeting import Built
from gpufleet.fabric.ports import Port, guid_text

_NAMES_CURE = "give each its own name: rdma-ndd names a host's devices, the switch's own command a switch"
_GUID_CURE = "one of them was flashed with the other's GUID: set its own with its vendor's tool"


def find(built: Built, found: Discovered) -> Iterator[Finding]:
    """Yield a finding for each GUID that two ports share, each name that two nodes share, each exchanged adapter."""
    for guid, users in sorted(_shared(built, found).items()):
        name = built.names.get(guid) or next(iter(users))
        yield Finding(
            "duplicate guid", ", ".join(sorted(users)), "a GUID of its own", guid_text(guid), _GUID_CURE, nodes=(name,)
        )
    for name, guids in built.namesakes.items():
        texts = ", ".join(guid_text(guid) for guid in guids)
        yield Finding(
            "duplicate name", name, "one node of this name", f"another with GUID {texts}", _NAMES_CURE, nodes=(name,)
        )
    for name, (planned, guid) in built.replaced.items():
        cure = "it was exchanged: write the new GUID into the plan; else correct its name"
        yield Finding("other guid", name, guid_text(planned), guid_text(guid), cure, nodes=(name,))


def unnamed(built: Built, found: Discovered, planned: Collection[str]) -> list[str]:
    """Return a note where devices do not say which host they are in, and the plan does not know them by GUID."""
    strangers = (node for guid, node in found.nodes.items() if built.names[guid] not in planned)
    count = sum(node.kind == "device" and len(node.description.split(" ")) != 2 for node in strangers)
    text = "without the name of a host: rdma-ndd there gives it one, and a plan with GUIDs needs none"
    return [f"{count} {'device' if count == 1 else 'devices'} {text}"] if count else []


def explained(built: Built) -> set[Port]:
    """Return the ports whose cables say nothing, because the GUID behind them is not unique."""
    return {port for claimed, claimers in built.claimed.items() for port in (claimed, *claimers)}


def _shared(built: Built, found: Discovered) -> dict[int, set[str]]:
    """Return who uses each GUID that is not unique: names of nodes, and of the ports that lead to it."""
    shared: dict[int, set[str]] = defaultdict(set)
    guids = {name: guid for guid, name in built.names.items()} if built.claimed else {}
    for claimed, claimers in built.claimed.items():
        if claimed.node in guids:
            shared[guids[claimed.node]].update(f"{claimed.node} at {port}" for port in claimers)
    for node in found.doubles:
        shared[node.guid].update((built.names[node.guid], node.description))
    for guid, places in found.port_guids.items():
        if len(places) > 1 and guid not in shared:
            shared[guid].update(str(Port(built.names[place.guid], place.port)) for place in places)
    return shared
