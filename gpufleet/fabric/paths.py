"""Hosts that the rest of their rail cannot reach."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from gpufleet import hostset
from gpufleet.fabric.findings import Finding
from gpufleet.fabric.meeting import Built
from gpufleet.fabric.plan import Plan, host_of
from gpufleet.fabric.ports import Port


def groups(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return a representative for each node: nodes with the same one reach each other."""
    parent: dict[str, str] = {}

    def root(node: str) -> str:
        parent.setdefault(node, node)
        while parent[node] != node:
            parent[node] = node = parent[parent[node]]
        return node

    for a, b in pairs:
        parent[root(a)] = root(b)
    return {node: root(node) for node in list(parent)}


def find(plan: Plan, built: Built, explained: set[Port]) -> Iterator[Finding]:
    """Yield a finding for each part of a rail that is found, but not connected with the largest part of that rail."""
    part_of = groups((here.node, far.port.node) for here, far in built.far.items())
    rails: dict[int | None, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    silent = {port.node for port in explained}
    for device, row in plan.devices.items():
        if device in part_of and device not in silent:
            rails[row.rail][part_of[device]].append(device)
    for rail, parts in rails.items():
        if rail is not None:
            for devices in sorted(parts.values(), key=len)[:-1]:
                yield _cut_off(rail, devices, max(map(len, parts.values())))


def _cut_off(rail: int, devices: list[str], rest: int) -> Finding:
    where = hostset.describe([host_of(device) for device in devices])
    found = f"a path to {len(devices) - 1} of them only"
    cure = "follow the cables from its leaf to the spines"
    return Finding(
        "no path", where, f"a path to the other devices of rail {rail} ({rest})", found, cure, nodes=tuple(devices)
    )
