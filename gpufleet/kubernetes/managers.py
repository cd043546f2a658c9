"""When the kubelet's managers must forget what they gave to pods, and whether they may. Pure.

The CPU and the memory manager write down their policy and what each container has of processors and memory. With a
record of another policy, of other reservations or of another machine, the kubelet ends at its start. The record may go
only where no pod has anything of it: on a drained node. Source: Kubernetes 1.36.3, pkg/kubelet/cm/cpumanager
(state/state_checkpoint.go, policy_static.go, validateState) and pkg/kubelet/cm/memorymanager, the same files.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from gpufleet.kubernetes.cpus import members
from gpufleet.kubernetes.kubelet_configuration import KubeletConfiguration
from gpufleet.kubernetes.memory import NumaNode
from gpufleet.kubernetes.quantity import count, exact

#: Files of the managers below the kubelet's directory.
CPU_STATE, MEMORY_STATE = "cpu_manager_state", "memory_manager_state"


@dataclass(frozen=True)
class Records:
    """What the managers wrote down, as JSON, empty where there is no file; and what their configuration said."""

    cpu: str = ""
    memory: str = ""
    #: The topology manager's policy.
    topology: str = ""
    #: Processors that were reserved by number, for each kind of daemons; empty where they were named.
    reserved: tuple[str, ...] = ()


def outdated(
    wanted: KubeletConfiguration, records: Records, nodes: Sequence[NumaNode], online: str, more_huge: int = 0
) -> dict[str, str]:
    """Return the files that the kubelet would not start with, or that pods were placed by other rules in, with why.

    + wanted: the kubelet's configuration
    + records: what its managers wrote down
    + nodes: NUMA nodes as they are now; another kernel may leave another amount of memory
    + online: processors that are online, empty where nothing says it
    + more_huge: bytes of huge pages that the machine is to get before the kubelet starts, below 0 for fewer
    """
    found = {
        CPU_STATE: _of_cpus(wanted, records, members(online)),
        MEMORY_STATE: _of_memory(wanted, records.memory, nodes, more_huge),
    }
    there = {CPU_STATE: records.cpu, MEMORY_STATE: records.memory}
    if records.topology and records.topology != wanted.topology_manager_policy:
        why = f"the topology manager's policy was {records.topology}"
        found = {name: reason or why for name, reason in found.items() if there[name]}
    return {name: why for name, why in found.items() if why}


def _of_cpus(wanted: KubeletConfiguration, records: Records, online: frozenset[int]) -> str:
    if not records.cpu:
        return ""
    state = _read(records.cpu)
    if (policy := state.get("policyName")) != wanted.cpu_manager_policy:
        return f"the CPU manager's policy was {policy or 'not to be read'}"
    if policy != "static":
        return ""
    try:
        shared = members(str(state.get("defaultCpuSet", "")))
        assigned = frozenset[int]().union(*map(members, _sets_of_pods(state)))
        before = ceil(sum(map(exact, records.reserved)))
    except ValueError:
        return "the CPU manager's processors were not to be read"
    if not shared:
        return "pods had every processor" if assigned else ""
    return _of_reservation(wanted, before, shared, assigned) or _of_machine(wanted, shared | assigned, online)


def _sets_of_pods(state: Mapping[str, Any]) -> Iterator[str]:
    """Yield the processors that containers have, and pods as a whole (1.36's PodLevelResourceManagers)."""
    for containers in (state.get("entries") or {}).values():
        yield from map(str, containers.values())
    for pod in (state.get("podEntries") or {}).values():
        yield str(pod.get("cpuSet", ""))


def _of_reservation(wanted: KubeletConfiguration, before: int, shared: frozenset[int], assigned: frozenset[int]) -> str:
    """Say how the system's own processors do not fit to what pods were given.

    Reserved by number alone, they are those of the lowest cores, and what pods have begins behind them: more of them
    than before would be pods'.
    """
    reserved = members(wanted.reserved_system_cpus)
    if reserved:
        fits = not reserved & shared if _is_strict(wanted) else reserved <= shared
        return "" if fits else f"processors {wanted.reserved_system_cpus} were not reserved so"
    number = _reserved_by_number(wanted)
    fits = _is_strict(wanted) or number <= before or not assigned
    return "" if fits else f"fewer processors were reserved by number ({before}, and {number} now)"


def _of_machine(wanted: KubeletConfiguration, recorded: frozenset[int], online: frozenset[int]) -> str:
    """Say how the record is not of all processors that are online, or not of those beside strictly reserved ones."""
    reserved = members(wanted.reserved_system_cpus)
    if _is_strict(wanted) and not reserved:
        fits = recorded <= online and len(online - recorded) == _reserved_by_number(wanted)
    else:
        fits = recorded == (online - reserved if _is_strict(wanted) else online)
    return "" if fits or not online else "the machine had other processors, or others were reserved"


def _is_strict(wanted: KubeletConfiguration) -> bool:
    return wanted.cpu_manager_policy_options.get("strict-cpu-reservation") == "true"


def _reserved_by_number(wanted: KubeletConfiguration) -> int:
    """Return how many processors the kubelet takes for the system's own where they are not named: whole ones."""
    return ceil(sum(exact(part.get("cpu", "0")) for part in (wanted.kube_reserved, wanted.system_reserved)))


def _of_memory(wanted: KubeletConfiguration, text: str, machine: Sequence[NumaNode], more_huge: int) -> str:
    if not text:
        return ""
    state = _read(text)
    if (policy := state.get("policyName")) != wanted.memory_manager_policy:
        return f"the memory manager's policy was {policy or 'not to be read'}"
    nodes = state.get("machineState") or {}
    if policy != "Static" or not nodes:
        return ""
    before = {int(number): _system_reserved(node) for number, node in nodes.items()}
    now = {part.numa_node: count(part.limits.get("memory", "0")) for part in wanted.reserved_memory}
    if {number: part for number, part in before.items() if part} != now:
        return "other memory was reserved"
    recorded = {int(number): _sizes(node) for number, node in nodes.items()}
    return _of_sizes(recorded, {node.number: (node.total, node.huge) for node in machine}, more_huge)


def _of_sizes(recorded: Mapping[int, tuple[int, int]], sizes: Mapping[int, tuple[int, int]], more_huge: int) -> str:
    """Say how bytes of memory, and of huge pages in it, are not those of the record; which node gets more is open."""
    if not more_huge:
        return "" if recorded == sizes else "the machine had other memory or huge pages"
    same_memory = {number: size[0] for number, size in recorded.items()} == {
        number: size[0] for number, size in sizes.items()
    }
    if (
        same_memory
        and sum(huge for _, huge in recorded.values()) == sum(huge for _, huge in sizes.values()) + more_huge
    ):
        return ""
    return "the machine had other memory, or gets other huge pages"


def _system_reserved(node: Mapping[str, Any]) -> int:
    return int(_tables(node).get("memory", {}).get("systemReserved", 0))


def _sizes(node: Mapping[str, Any]) -> tuple[int, int]:
    """Return the bytes of a node's memory, and of the huge pages in it."""
    totals = {name: int(table.get("total", 0)) for name, table in _tables(node).items()}
    memory = totals.pop("memory", 0)
    return memory, sum(totals.values())


def _tables(node: Mapping[str, Any]) -> Mapping[str, Any]:
    tables: Mapping[str, Any] = node.get("memoryMap") or {}
    return tables


def _read(text: str) -> dict[str, Any]:
    try:
        state = json.loads(text)
    except ValueError:
        return {}
    return state if isinstance(state, dict) else {}
