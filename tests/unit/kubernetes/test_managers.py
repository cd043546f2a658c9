"""When the managers' files must go, and where they may."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpufleet.kubernetes.cpus import members
from gpufleet.kubernetes.drained import Occupancy, refusal
from gpufleet.kubernetes.kubelet_configuration import KubeletConfiguration
from gpufleet.kubernetes.managers import CPU_STATE, MEMORY_STATE, Records, outdated
from gpufleet.kubernetes.memory import NumaNode
from tests.unit.kubernetes.test_kubelet_configuration import ENDPOINT, STATIC

WANTED = KubeletConfiguration.model_validate(STATIC)
PLAIN = KubeletConfiguration.model_validate(ENDPOINT)
MEBIBYTE = 1024**2
GIBIBYTE = 1024 * MEBIBYTE
NODES = [NumaNode(0, 2**40), NumaNode(1, 2**40)]
#: As kubelet 1.36 writes them.
CPU = json.dumps({"policyName": "static", "defaultCpuSet": "0-127", "checksum": 1353318690})
CPU_NONE = json.dumps({"policyName": "none", "defaultCpuSet": "", "checksum": 1353318690})
MEMORY_NONE = json.dumps({"policyName": "None", "machineState": {}, "checksum": 4046217332})


def memory(*parts: int, huge: int = 0) -> str:
    nodes = {
        str(number): {
            "numberOfAssignments": 0,
            "memoryMap": {
                "hugepages-1Gi": {"total": 0, "systemReserved": 0},
                "hugepages-2Mi": {"total": huge, "systemReserved": 0},
                "memory": {"total": 2**40, "systemReserved": part},
            },
            "cells": [number],
        }
        for number, part in enumerate(parts)
    }
    return json.dumps({"policyName": "Static", "machineState": nodes, "entries": {}, "checksum": 4046217332})


KEPT = memory(1536 * MEBIBYTE, 1536 * MEBIBYTE)
TOPOLOGY = "the topology manager's policy was restricted"


@pytest.mark.parametrize(
    ("wanted", "records", "expected"),
    [
        (WANTED, Records(), {}),
        (WANTED, Records(CPU, KEPT, "single-numa-node"), {}),
        (PLAIN, Records(CPU_NONE, MEMORY_NONE, "none"), {}),
        (
            WANTED,
            Records(CPU_NONE, MEMORY_NONE),
            {CPU_STATE: "the CPU manager's policy was none", MEMORY_STATE: "the memory manager's policy was None"},
        ),
        (
            PLAIN,
            Records(CPU, KEPT),
            {CPU_STATE: "the CPU manager's policy was static", MEMORY_STATE: "the memory manager's policy was Static"},
        ),
        (
            WANTED,
            Records(CPU.replace("0-127", "1-127"), memory(1024 * MEBIBYTE, 2048 * MEBIBYTE)),
            {
                CPU_STATE: "processors 0-3,64-67 were not reserved so",
                MEMORY_STATE: "other memory was reserved",
            },
        ),
        (WANTED, Records(CPU, KEPT, "restricted"), {CPU_STATE: TOPOLOGY, MEMORY_STATE: TOPOLOGY}),
        (WANTED, Records("", KEPT, "restricted"), {MEMORY_STATE: TOPOLOGY}),
        (WANTED, Records("{", "[]"), {
            CPU_STATE: "the CPU manager's policy was not to be read",
            MEMORY_STATE: "the memory manager's policy was not to be read",
        }),
    ],
)  # fmt: skip
def test_outdated(wanted: KubeletConfiguration, records: Records, expected: dict[str, str]) -> None:
    assert outdated(wanted, records, NODES) == expected


@pytest.mark.parametrize(
    ("nodes", "fits"),
    [
        ([NumaNode(0, 2**40 - GIBIBYTE, huge=GIBIBYTE), NumaNode(1, 2**40 - GIBIBYTE, huge=GIBIBYTE)], True),
        (NODES, False),
        ([NumaNode(0, 2**40 - GIBIBYTE, huge=GIBIBYTE)], False),
        ([NumaNode(0, 2**40 - GIBIBYTE - 4096, huge=GIBIBYTE), NumaNode(1, 2**40 - GIBIBYTE, huge=GIBIBYTE)], False),
    ],
)
def test_memory_of_another_kernel_or_with_other_huge_pages(nodes: list[NumaNode], fits: bool) -> None:
    records = Records(CPU, memory(1536 * MEBIBYTE, 1536 * MEBIBYTE, huge=GIBIBYTE))
    expected = {} if fits else {MEMORY_STATE: "the machine had other memory or huge pages"}
    assert outdated(WANTED, records, nodes) == expected


def test_a_node_without_a_reservation() -> None:
    records = Records(CPU, memory(1536 * MEBIBYTE, 1536 * MEBIBYTE, 0))
    assert outdated(WANTED, records, [*NODES, NumaNode(2, 2**40, has_cpus=False)]) == {}


def test_strict_reservation_keeps_processors_out_of_the_shared_set() -> None:
    strict = KubeletConfiguration.model_validate(
        {**STATIC, "cpu_manager_policy_options": {"strict-cpu-reservation": "true"}}
    )
    assert outdated(strict, Records(CPU.replace("0-127", "4-63,68-127")), NODES) == {}
    assert outdated(strict, Records(CPU), NODES) == {CPU_STATE: "processors 0-3,64-67 were not reserved so"}


@pytest.mark.parametrize(
    ("occupancy", "free"),
    [
        (Occupancy(), True),
        (Occupancy(joined=True, cordoned=True, sandboxes=4), True),
        (Occupancy(joined=True, cordoned=True, pods=("a/b",), sandboxes=5), False),
        (Occupancy(joined=True, cordoned=False, sandboxes=4), False),
        (Occupancy(joined=True, cordoned=False), True),
        (Occupancy(joined=True), True),
        (Occupancy(joined=True, sandboxes=1), False),
    ],
)
def test_free(occupancy: Occupancy, free: bool) -> None:
    assert occupancy.is_free is free


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"cordoned": None, "sandboxes": 2}, "2 pods on the host, and an API server that did not say whose"),
        ({"cordoned": False, "sandboxes": 1}, "it not cordoned with 1 pod"),
        ({"cordoned": True, "pods": ("a/b", "a/c")}, "it cordoned with a/b, a/c"),
        ({"cordoned": True, "pods": tuple(f"a/{n}" for n in range(5))}, "it cordoned with a/0, a/1, a/2, 2 more"),
    ],
)
def test_refusal(changes: dict[str, Any], found: str) -> None:
    occupancy = Occupancy(joined=True, **changes)
    assert refusal("gpu-07", "cpu_manager_state goes", "the CPU manager's policy was none", occupancy) == {
        "expected": "a drained node before cpu_manager_state goes (the CPU manager's policy was none)",
        "found": found,
        "cure": "run `kubectl drain gpu-07 --ignore-daemonsets`, and deploy again",
    }


@given(st.sets(st.integers(0, 1023)))
def test_sets_of_processors(cpus: set[int]) -> None:
    assert members(",".join(map(str, sorted(cpus)))) == cpus


def test_ranges_of_processors() -> None:
    assert members("0-3,64-65\n") == {0, 1, 2, 3, 64, 65}


@pytest.mark.parametrize("text", ["3-0", "a", "0-", "0--3", "-1"])
def test_other_sets(text: str) -> None:
    with pytest.raises(ValueError, match="processors") as refused:
        members(text)
    assert str(refused.value) == f"expected a set of processors such as 0-3,64-67, found {text!r}; write it so"
