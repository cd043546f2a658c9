"""Options of the role kubelet that are refused, in their own words, and what it wants of the stack."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from gpufleet.kubernetes.memory import NumaNode
from gpufleet.stack.resolution import DriverChoice, Resolution
from roles.kubelet.decisions import Situation, configuration, node_labels, problems
from roles.kubelet.options import DEMANDED, SYSCTL, Kubelet

GIVEN: dict[str, Any] = {"version": "1.36.3"}
TOKEN = {"token": {"env": "T"}, "ca_hashes": {"env": "H"}}
WAY = "expected token and ca_hashes, or bootstrap_kubeconfig, found {}; give one way"
NAME = (
    "expected a name of lowercase letters, digits, `-` and `.` that begins and ends with a letter or digit, 253 "
    "characters at most, as Kubernetes demands of a node (RFC 1123), found 'GPU_07'"
)
NODES = (NumaNode(0, 2**40), NumaNode(1, 2**40))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"version": None}, "expected version, found none; name the kubelet's, such as 1.36.3"),
        ({"version": "1.36"}, "expected a version, found '1.36'; write it like 1.36.3"),
        ({"version": "1.36.*"}, "expected a version, found '1.36.*'; write it like 1.36.3"),
        ({"version": "1.30.9"}, "expected version 1.31 or newer, found 1.30.9; older ones join otherwise"),
        ({"join": TOKEN}, "expected api_server with join, found none; name its host and port"),
        ({"api_server": "10.0.0.1"}, "String should match pattern '^([A-Za-z0-9.-]+|\\[[0-9a-fA-F:]+\\]):[0-9]{1,5}$'"),
        ({"join": {"token": {"env": "T"}}}, WAY.format("token")),
        ({"join": {}}, WAY.format("none")),
        (
            {"join": {**TOKEN, "bootstrap_kubeconfig": {"env": "K"}}},
            WAY.format("token and ca_hashes and bootstrap_kubeconfig"),
        ),
        (
            {"node_name": "GPU_07"},
            f"{NAME}; set node_name to one, or rename the host",
        ),
        (
            {"labels": {"node-role.kubernetes.io/gpu": "", "kubernetes.io/x": "y"}},
            "expected labels that a kubelet may give its node, found node-role.kubernetes.io/gpu, kubernetes.io/x; set "
            "them by the API, or choose keys of another domain",
        ),
        ({"reserved": {"cpus": "0-"}}, "expected a set of processors such as 0-3,64-67, found '0-'; write it so"),
        (
            {"reserved": {"kube": {"memory": "1GB"}}},
            "expected a quantity such as 512Mi, 2 or 500m, found '1GB'; write it so",
        ),
        (
            {"eviction": {"hard": {"nodefs.available": "x%"}}},
            "expected a threshold such as 1Gi or 10%, found 'x%'; write it so",
        ),
        ({"swap": "on"}, "Input should be 'off', 'limited' or 'host'"),
        (
            {
                "sysctl": {
                    "vm.panic_on_oom": 1,
                    "kernel.panic": 10,
                    "vm.overcommit_memory": 1,
                    "kernel.panic_on_oops": 1,
                }
            },
            "expected kernel.keys.root_maxbytes = 25000000, kernel.keys.root_maxkeys = 1000000, vm.panic_on_oom = 0 in "
            "sysctl, found no kernel.keys.root_maxbytes, no kernel.keys.root_maxkeys, vm.panic_on_oom = 1; the kubelet "
            "starts with no others; set them so, or protect_kernel_defaults: False",
        ),
        (
            {"sysctl": {**SYSCTL, "kernel.panic": 60}},
            "expected kernel.panic = 10 in sysctl, found kernel.panic = 60; the kubelet starts with no others; set "
            "them so, or protect_kernel_defaults: False",
        ),
        (
            {"managers": {"topology_options": {"max-allowable-numa-nodes": "4"}}},
            "expected max-allowable-numa-nodes of 8 or more, found '4'; write such a number, or leave it out",
        ),
    ],
)
def test_refused(data: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Kubelet.model_validate({**GIVEN, **data})
    assert [error["msg"].removeprefix("Value error, ") for error in refused.value.errors()] == [message]


@pytest.mark.parametrize(
    ("data", "wish"),
    [
        ({}, {"kubernetes": "1.36.3", "kubelet": "1.36.3", "kube_apiserver": None}),
        ({"api_server_version": "1.36.4"}, {"kubernetes": "1.36.3", "kubelet": "1.36.3", "kube_apiserver": "1.36.4"}),
        ({"state": "absent", "version": None}, {}),
    ],
)
def test_wish(data: dict[str, Any], wish: dict[str, Any]) -> None:
    assert Kubelet.model_validate({**GIVEN, **data}).wish() == wish


def test_a_name_that_no_node_can_have() -> None:
    (problem,) = problems(Kubelet.model_validate(GIVEN), Situation("GPU_07", NODES, "0-127", "", None))
    assert str(problem) == f"GPU_07: kubelet.node_name: {NAME}; set node_name to one, or rename the host"
    named = Kubelet.model_validate({**GIVEN, "node_name": "gpu-07"})
    assert list(problems(named, Situation("GPU_07", NODES, "0-127", "", None))) == []


@pytest.mark.parametrize(
    ("changes", "cpus", "expected"),
    [
        ({}, "0-127", []),
        ({}, "0-1", ["cpus: expected processors left for pods of those online (0-1), found all of them reserved; "
                     "reserve fewer"]),
        ({}, "", ["cpus: expected processors that are online (none known), found 0, 1; name others"]),
        (
            {"reserved": {"cpus": ""}},
            "0-3",
            [": expected processors kept from pods beside the static CPU manager, found none; name them in "
             "reservedSystemCPUs, or reserve cpu"],
        ),
        ({"reserved": {"cpus": "", "system": {"cpu": "500m"}}}, "0-3", []),
    ],
)  # fmt: skip
def test_problems_of_processors(changes: dict[str, Any], cpus: str, expected: list[str]) -> None:
    options = Kubelet.model_validate({**GIVEN, **changes})
    found = [str(each) for each in problems(options, Situation("gpu-07", NODES, cpus, "", None))]
    assert [text.removeprefix("gpu-07: kubelet.reserved").removeprefix(".") for text in found] == expected


@pytest.mark.parametrize(
    ("swap", "fails", "behavior"), [("off", True, None), ("limited", False, "LimitedSwap"), ("host", False, "NoSwap")]
)
def test_swap(swap: str, fails: bool, behavior: str | None) -> None:
    found = configuration(Kubelet.model_validate({**GIVEN, "swap": swap}), NODES)
    assert found.fail_swap_on is fails
    assert (found.memory_swap.swap_behavior if found.memory_swap else None) == behavior


SETTINGS_OF_OTHERS = [
    {"sysctl": {"vm.panic_on_oom": 1}, "protect_kernel_defaults": False},
    {"sysctl": {}, "state": "absent"},
    {"sysctl": {**SYSCTL, "net.core.somaxconn": 4096}},
]


@pytest.mark.parametrize("changes", SETTINGS_OF_OTHERS, ids=["not protected", "absent", "more"])
def test_settings_that_are_no_matter_to_the_kubelet(changes: dict[str, Any]) -> None:
    assert Kubelet.model_validate({**GIVEN, **changes}).sysctl == changes["sysctl"]


GB200 = tuple(NumaNode(number, 2**38 if number < 2 else 0, number < 2) for number in range(34))
#: As docs/kubernetes.md has it.
FOR_GB200 = {"managers": {"topology": "none", "memory": "None"}}
TOPOLOGY = (
    "gpu-07: kubelet.managers.topology: expected at most {} NUMA nodes with best-effort, as the kubelet starts with no "
    "more (max-allowable-numa-nodes), found {} on this machine; set `topology: none`"
)
MEMORY = (
    "gpu-07: kubelet.managers.memory: expected at most 8 NUMA nodes with Static, which tries every set of them, found "
    "{} on this machine; set `memory: None`"
)


@pytest.mark.parametrize(
    ("changes", "nodes", "expected"),
    [
        ({}, GB200[:8], []),
        ({}, GB200[:9], [TOPOLOGY.format(8, 9), MEMORY.format(9)]),
        ({}, GB200, [TOPOLOGY.format(8, 34), MEMORY.format(34)]),
        (FOR_GB200, GB200, []),
        ({"managers": {"topology": "none"}}, GB200, [MEMORY.format(34)]),
        (
            {"managers": {"memory": "None", "topology_options": {"max-allowable-numa-nodes": "32"}}},
            GB200,
            [TOPOLOGY.format(32, 34)],
        ),
    ],
)
def test_more_numa_nodes_than_managers_work_with(
    changes: dict[str, Any], nodes: tuple[NumaNode, ...], expected: list[str]
) -> None:
    options = Kubelet.model_validate({**GIVEN, **changes})
    assert [str(each) for each in problems(options, Situation("gpu-07", nodes, "0-127", "", None))] == expected


def test_taints_settings_and_labels() -> None:
    given = {"taints": [{"key": "a", "effect": "NoExecute"}], "hugepages": 512, "sysctl": DEMANDED}
    options = Kubelet.model_validate({**GIVEN, **given, "place": {"rail": "rail 1"}})
    assert [str(taint) for taint in options.all_taints] == ["gpufleet.dev/preflight=pending:NoSchedule", "a:NoExecute"]
    assert options.sysctl_text == {
        "kernel.keys.root_maxbytes": "25000000",
        "kernel.keys.root_maxkeys": "1000000",
        "kernel.panic": "10",
        "kernel.panic_on_oops": "1",
        "vm.nr_hugepages": "512",
        "vm.overcommit_memory": "1",
        "vm.panic_on_oom": "0",
    }
    driver = DriverChoice("580.105.08-1", 580, "open", "nvidia", "", "nvidia", ())
    assert node_labels(options, ("2330",) * 2, Resolution(driver=driver)) == {
        "gpufleet.dev/driver": "580.105.08",
        "gpufleet.dev/driver-branch": "580",
        "gpufleet.dev/gpu-count": "2",
        "gpufleet.dev/gpu-model": "H100-SXM5-80GB",
        "gpufleet.dev/rail": "rail-1",
    }
    assert not Kubelet.model_validate({**GIVEN, "preflight": False}).all_taints
