"""Memory that is kept from pods, on each NUMA node: what the static memory manager demands adds up exactly.

The kubelet refuses to start unless the sum over all NUMA nodes equals kubeReserved.memory + systemReserved.memory + the
threshold memory.available of evictionHard, to the byte; no part may be 0, and a node that the machine has not may not
be named. Huge pages can be reserved in neither place, so they cannot be in the sum. Source: Kubernetes 1.36.3,
pkg/kubelet/cm/memorymanager/memory_manager.go (validateReservedMemory), cmd/kubelet/app/server.go (parseResourceList),
pkg/kubelet/apis/config/validation/validation_reserved_memory.go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gpufleet.kubernetes.quantity import MEBIBYTE, count, written


@dataclass(frozen=True, order=True)
class NumaNode:
    """One NUMA node: its number, memory beside huge pages in bytes, and whether it has processors."""

    number: int
    memory: int
    has_cpus: bool = True
    #: Huge pages in bytes.
    huge: int = 0

    @property
    def total(self) -> int:
        """Bytes of its memory, huge pages among them: the same whatever huge pages are in force."""
        return self.memory + self.huge


@dataclass(frozen=True)
class HugePages:
    """Huge pages of the default size that the kernel has: their number, and bytes of one."""

    count: int = 0
    size: int = 0

    def more(self, wanted: int | None) -> int:
        """Return the bytes that go into huge pages where so many are wanted, below 0 for fewer; None wants no other."""
        return 0 if wanted is None else (wanted - self.count) * self.size


def required(kube: str, system: str, eviction: str) -> int:
    """Return the sum, in bytes, that the kubelet will demand of these three.

    A threshold in percent is refused: the kubelet makes bytes of it by the memory that it finds, rounded as floating
    point has it, which nobody can foresee.
    """
    if eviction.endswith("%"):
        raise ValueError(
            f"expected the threshold memory.available of evictionHard in bytes, such as 1Gi, beside the static memory "
            f"manager, found {eviction}; the sum over NUMA nodes must be exact"
        )
    return sum(count(text) for text in (kube, system, eviction))


def shares(total: int, nodes: Sequence[NumaNode], given: Mapping[int, int]) -> dict[int, int]:
    """Return what is reserved on each NUMA node, in bytes: as given, else in proportion to its memory.

    Huge pages count as memory in that proportion, so that the parts are the same before and after they are in force,
    as long as each part fits beside them. What runs beside pods runs on processors, so that nodes without any, such as
    memory on CXL, get no part; GB200 has more NUMA nodes than this manager works with (numa_limits.py). Raises
    ValueError where the parts do not add up or do not fit.
    """
    if total <= 0:
        raise ValueError("expected memory reserved beside the static memory manager, found none; reserve some")
    chosen = dict(given) if given else _proportional(total, [node for node in nodes if node.has_cpus and node.total])
    _check(total, nodes, chosen)
    return dict(sorted(chosen.items()))


def _proportional(total: int, nodes: Sequence[NumaNode]) -> dict[int, int]:
    """Split in whole MiB; what is left goes where there is room for it, the largest first."""
    if total > sum(node.memory for node in nodes):
        return {node.number: total for node in nodes[:1]}  # does not fit, which the caller says
    all_memory = sum(node.total for node in nodes)
    whole = {node.number: total * node.total // all_memory // MEBIBYTE * MEBIBYTE for node in nodes}
    parts = {node.number: min(whole[node.number], node.memory) for node in nodes}
    left = total - sum(parts.values())
    for node in sorted(nodes, key=lambda node: (-node.total, node.number)):
        more = min(left, node.memory - parts[node.number])
        parts[node.number] += more
        left -= more
    return {number: part for number, part in parts.items() if part}


def _check(total: int, nodes: Sequence[NumaNode], parts: Mapping[int, int]) -> None:
    room = {node.number: node.memory for node in nodes}
    if unknown := sorted(parts.keys() - room.keys()):
        known = ", ".join(map(str, sorted(room))) or "none"
        raise ValueError(f"expected NUMA nodes that the machine has ({known}), found {_listed(unknown)}; correct them")
    if (found := sum(parts.values())) != total:
        raise ValueError(
            f"expected {written(total)} over all NUMA nodes, which kube, system and the hard threshold of eviction add "
            f"up to, found {written(found)}; give parts of that sum, or none"
        )
    for number, part in parts.items():
        if part > room[number]:
            cure = "reserve less"
            raise ValueError(
                f"expected at most {written(room[number])} on NUMA node {number}, all that it has beside huge pages, "
                f"found {written(part)}; {cure}"
            )


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))
