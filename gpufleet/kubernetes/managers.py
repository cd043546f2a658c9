"""When the kubelet's managers must forget what they gave to pods, and whether they may. Pure.

The CPU and the memory manager write down their policy and what each container has of processors and memory. With a
record of another policy, or of other reservations, the kubelet ends at its start. The record may go only where no pod
has anything of it: on a drained node. Source: Kubernetes 1.36.3, pkg/kubelet/cm/cpumanager (state/state_checkpoint.go,
policy_static.go, validateState) and pkg/kubelet/cm/memorymanager, the same files.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gpufleet.kubernetes.cpus import members
from gpufleet.kubernetes.kubelet_configuration import KubeletConfiguration
from gpufleet.kubernetes.memory import NumaNode
from gpufleet.kubernetes.quantity import count

#: Files of the managers below the kubelet's directory.
CPU_STATE, MEMORY_STATE = "cpu_manager_state", "memory_manager_state"


@dataclass(frozen=True)
class Records:
    """What the managers wrote down, as JSON, empty where there is no file; and the topology policy that was set."""

    cpu: str = ""
    memory: str = ""
    topology: str = ""


def outdated(wanted: KubeletConfiguration, records: Records, nodes: Sequence[NumaNode]) -> dict[str, str]:
    """Return the files that the kubelet would not start with, or that pods were placed by other rules in, with why.

    + wanted: the kubelet's configuration
    + records: what its managers wrote down
    + nodes: NUMA nodes as they are now; another kernel may leave another amount of memory
    """
    found = {CPU_STATE: _of_cpus(wanted, records.cpu), MEMORY_STATE: _of_memory(wanted, records.memory, nodes)}
    there = {CPU_STATE: records.cpu, MEMORY_STATE: records.memory}
    if records.topology and records.topology != wanted.topology_manager_policy:
        why = f"the topology manager's policy was {records.topology}"
        found = {name: reason or why for name, reason in found.items() if there[name]}
    return {name: why for name, why in found.items() if why}


def _of_cpus(wanted: KubeletConfiguration, text: str) -> str:
    if not text:
        return ""
    state = _read(text)
    if (policy := state.get("policyName")) != wanted.cpu_manager_policy:
        return f"the CPU manager's policy was {policy or 'not to be read'}"
    shared, reserved = members(str(state.get("defaultCpuSet", ""))), members(wanted.reserved_system_cpus)
    if policy != "static" or not shared:
        return ""
    is_strict = wanted.cpu_manager_policy_options.get("strict-cpu-reservation") == "true"
    fits = not reserved & shared if is_strict else reserved <= shared
    return "" if fits else f"processors {wanted.reserved_system_cpus} were not reserved so"


def _of_memory(wanted: KubeletConfiguration, text: str, machine: Sequence[NumaNode]) -> str:
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
    sizes = {node.number: (node.memory + node.huge, node.huge) for node in machine}
    return "" if recorded == sizes else "the machine had other memory or huge pages"


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
