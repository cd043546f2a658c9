"""When the managers' files must go, and where they may."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpufleet.kubernetes.cpus import members
from gpufleet.kubernetes.drained import Occupancy, refusal
from gpufleet.kubernetes.kubelet_configuration import KubeletConfiguration
from gpufleet.kubernetes.managers import CPU_STATE, MEMORY_STATE, Records, outdated
from gpufleet.kubernetes.memory import HugePages, NumaNode
from tests.unit.kubernetes.test_kubelet_configuration import ENDPOINT, STATIC

WANTED = KubeletConfiguration.model_validate(STATIC)
PLAIN = KubeletConfiguration.model_validate(ENDPOINT)
MEBIBYTE = 1024**2
GIBIBYTE = 1024 * MEBIBYTE
NODES, ONLINE = [NumaNode(0, 2**40), NumaNode(1, 2**40)], "0-127"
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
    assert outdated(wanted, records, NODES, ONLINE) == expected


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
    assert outdated(WANTED, records, nodes, ONLINE) == expected


def test_a_node_without_a_reservation() -> None:
    records = Records(CPU, memory(1536 * MEBIBYTE, 1536 * MEBIBYTE, 0))
    assert outdated(WANTED, records, [*NODES, NumaNode(2, 2**40, has_cpus=False)], ONLINE) == {}


@pytest.mark.parametrize(
    ("recorded", "now", "wanted", "fits"),
    [
        (0, 0, None, True),
        (0, 0, 0, True),
        (0, 0, 512, False),
        (512, 512, 512, True),
        (512, 512, 0, False),
        (512, 0, 512, True),
        (512, 0, None, False),
        (512, 1024, 1024, False),
    ],
)
def test_huge_pages_that_the_kernel_is_to_get(recorded: int, now: int, wanted: int | None, fits: bool) -> None:
    """Before they are in force the record is held against those that will be: what counts is their sum."""
    size = 2 * MEBIBYTE
    records = Records(CPU, memory(1536 * MEBIBYTE, 1536 * MEBIBYTE, huge=recorded * size // 2))
    nodes = [NumaNode(number, 2**40 - now * size // 2, huge=now * size // 2) for number in (0, 1)]
    more = HugePages(now, size).more(wanted)
    said = (
        "the machine had other memory, or gets other huge pages"
        if more
        else "the machine had other memory or huge pages"
    )
    assert outdated(WANTED, records, nodes, ONLINE, more) == ({} if fits else {MEMORY_STATE: said})


def test_other_memory_while_the_kernel_is_to_get_huge_pages() -> None:
    records = Records(CPU, memory(1536 * MEBIBYTE, 1536 * MEBIBYTE, huge=GIBIBYTE))
    nodes = [NumaNode(0, 2**40), NumaNode(1, 2**40 + GIBIBYTE)]
    said = {MEMORY_STATE: "the machine had other memory, or gets other huge pages"}
    assert outdated(WANTED, records, nodes, ONLINE, 2 * GIBIBYTE) == said


OTHERS = "the machine had other processors, or others were reserved"
NAMED = "processors 0-3,64-67 were not reserved so"


def cpus(shared: str, *of_pods: str, **more: Any) -> Records:
    entries = {f"pod-{number}": {"main": cpus} for number, cpus in enumerate(of_pods)}
    record = {"policyName": "static", "defaultCpuSet": shared, "entries": entries, **more, "checksum": 1}
    return Records(json.dumps(record))


def said_of(found: dict[str, str]) -> str:
    assert found.keys() <= {CPU_STATE}
    return found.get(CPU_STATE, "")


@pytest.mark.parametrize(
    ("strict", "records", "online", "said"),
    [
        # What kubelet 1.36.3's validateState demands: shared and given processors are all that are online.
        (False, cpus("0-127"), "0-127", ""),
        (False, cpus("0-7,10-127", "8-9"), "0-127", ""),
        (False, cpus("0-7,12-127", "8-9", "10-11"), "0-127", ""),
        (False, cpus("0-7,10-127", podEntries={"pod": {"cpuSet": "8-9"}}), "0-127", ""),
        (False, cpus("0-7,10-127"), "0-127", OTHERS),
        (False, cpus("0-127"), "0-126", OTHERS),
        (False, cpus("0-127"), "0-255", OTHERS),
        (False, cpus("0-7,10-127", "8-9"), "0-63,65-127", OTHERS),
        (False, cpus("0-127"), "", ""),
        (False, cpus("1-127", "0"), "0-127", NAMED),
        (False, cpus("", "0-127"), "0-127", "pods had every processor"),
        (False, cpus(""), "0-127", ""),
        (False, cpus("all"), "0-127", "the CPU manager's processors were not to be read"),
        # Without the strictly reserved ones.
        (True, cpus("4-63,68-127"), "0-127", ""),
        (True, cpus("4-7,10-63,68-127", "8-9"), "0-127", ""),
        (True, cpus("0-127"), "0-127", NAMED),
        (True, cpus("6-63,68-127"), "0-127", OTHERS),
        (True, cpus("4-63,68-127"), "0-255", OTHERS),
        (True, cpus("4-63,68-127"), "0-126", OTHERS),
    ],
)
def test_processors(strict: bool, records: Records, online: str, said: str) -> None:
    wanted = KubeletConfiguration.model_validate(
        {**STATIC, "cpu_manager_policy_options": {"strict-cpu-reservation": "true"} if strict else {}}
    )
    assert said_of(outdated(wanted, records, NODES, online)) == said


@pytest.mark.parametrize(
    ("strict", "number", "before", "records", "said"),
    [
        # Nobody has a processor of their own, so that all are shared and any may be reserved.
        (False, "4", (), cpus("0-127"), ""),
        (False, "4", ("2", "2"), cpus("0-3,8-127", "4-7"), ""),
        (False, "3500m", ("1500m", "2"), cpus("0-3,8-127", "4-7"), ""),
        (False, "2", ("4",), cpus("0-3,8-127", "4-7"), ""),
        (
            False,
            "4100m",
            ("2", "2"),
            cpus("0-3,8-127", "4-7"),
            "fewer processors were reserved by number (4, and 5 now)",
        ),
        (False, "1", (), cpus("0-3,8-127", "4-7"), "fewer processors were reserved by number (0, and 1 now)"),
        (True, "4", ("4",), cpus("2-63,66-127"), ""),
        (True, "4", (), cpus("2-63,66-127"), ""),
        (True, "5", ("4",), cpus("2-63,66-127"), OTHERS),
        (True, "3", ("4",), cpus("2-63,66-127"), OTHERS),
        (True, "4", ("4",), cpus("0-127"), OTHERS),
        (True, "4", ("4",), cpus("4-128"), OTHERS),
    ],
)
def test_processors_reserved_by_number(
    strict: bool, number: str, before: tuple[str, ...], records: Records, said: str
) -> None:
    given = {**STATIC, "reserved_system_cpus": "", "kube_reserved": {"memory": "1Gi", "cpu": number}}
    given["cpu_manager_policy_options"] = {"strict-cpu-reservation": "true"} if strict else {}
    wanted = KubeletConfiguration.model_validate(given)
    assert said_of(outdated(wanted, replace(records, reserved=before), NODES, ONLINE)) == said


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
