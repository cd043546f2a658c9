"""How many NUMA nodes the kubelet's managers work with. Pure.

With any policy but `none` the topology manager ends the kubelet on a machine with more NUMA nodes than
`max-allowable-numa-nodes`, 8 unless said otherwise and never fewer. The static memory manager tries every set of NUMA
nodes for each pod, with any topology policy: 255 sets of 8 nodes, 17 billion of the 34 that a tray of GB200 has. Every
node of the kernel counts, those without memory or processors too. Source: Kubernetes 1.36.3,
pkg/kubelet/cm/topologymanager (topology_manager.go, policy_options.go), pkg/kubelet/cm/memorymanager/policy_static.go
(calculateHints), cadvisor 0.56.2 utils/sysinfo/sysinfo.go (GetNodesInfo); Kubernetes' issue 135541.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

OPTION = "max-allowable-numa-nodes"
#: What the topology manager allows by itself, and the least that it can be told.
MOST = 8


@dataclass(frozen=True)
class Excess:
    """A manager that does not work with so many NUMA nodes: the option that chose it, and what can be done."""

    option: str
    expected: str
    cure: str


def most(options: Mapping[str, str]) -> int:
    """Return how many NUMA nodes the topology manager takes with these options.

    Raises ValueError for a number with which the kubelet ends at its start.
    """
    text = options.get(OPTION, str(MOST))
    if not re.fullmatch(r"[0-9]{1,4}", text) or int(text) < MOST:
        raise ValueError(f"expected {OPTION} of {MOST} or more, found {text!r}; write such a number, or leave it out")
    return int(text)


def excesses(topology: str, options: Mapping[str, str], memory: str, nodes: int) -> Iterator[Excess]:
    """Yield the managers that do not work on a machine with so many NUMA nodes.

    + topology: the topology manager's policy
    + options: its options
    + memory: the memory manager's policy
    """
    if topology != "none" and nodes > (allowed := most(options)):
        yield Excess(
            "topology",
            f"at most {allowed} NUMA nodes with {topology}, as the kubelet starts with no more ({OPTION})",
            "set `topology: none`",
        )
    if memory == "Static" and nodes > MOST:
        yield Excess(
            "memory", f"at most {MOST} NUMA nodes with Static, which tries every set of them", "set `memory: None`"
        )
