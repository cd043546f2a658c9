"""The keys `machine`, `stack` and `kubernetes` of an inventory: accepted, and every wrong way in its own words."""

from __future__ import annotations

from typing import Any

import pytest

from gpufleet import inventory
from gpufleet.errors import fault_lines
from gpufleet.inventory.keys import PAGES
from gpufleet.kubernetes.data import ClusterData
from gpufleet.project import ROOT
from tests.support.inventories import inventory_of

SEE = "docs/stack.md lists the options"


def faults(**data: Any) -> list[str]:
    return fault_lines(inventory.faults(inventory_of({"gpu-1": data, "gpu-2": {**data, "ssh_port": 23}})))


def test_they_are_no_roles_and_no_faults() -> None:
    machine = {"os": "ubuntu-24.04", "gpus": {"L40S": 4}, "nvlink5": False, "platform": "cloud"}
    cluster = {"kubeconfig": {"env": "FLEET_KUBECONFIG"}, "context": "training"}
    assert faults(machine=machine, stack={"kubelet": "1.35.1"}, kubernetes=cluster) == []


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"machina": {"os": "debian-12"}}, "machina: unknown key; did you mean machine?"),
        ({"stak": {"kubelet": "1.35.1"}}, "stak: unknown key; did you mean stack?"),
        ({"machine": {"gpu": {"L40S": 1}}}, "machine.gpu: unknown option; did you mean gpus?"),
        ({"stack": {"kublet": "1.35.1"}}, "stack.kublet: unknown option; did you mean kubelet?"),
        ({"stack": {"driver": 580}}, f"stack.driver: expected str, found 580 (int); {SEE}"),
        (
            {"kubernetes": {"contexts": "a"}},
            "kubernetes.contexts: unknown option; did you mean context?",
        ),
        (
            {"kubernetes": {"context": 1}},
            "kubernetes.context: expected str, found 1 (int); docs/preflight.md lists the options",
        ),
        (
            {"kubernetes": {"kubeconfig": {"file": "/a", "env": "B"}}},
            "kubernetes.kubeconfig: expected one of file, env and command, found file and env; "
            "name the place of the secret once",
        ),
        (
            {"machine": {"gpus": {"L40S": "4"}, "nvlink5": "maybe"}},
            f"machine.nvlink5: expected bool, found 'maybe' (str); {SEE}",
        ),
        (
            {"machine": {"os": "ubunut-24.04"}},
            "machine.os: expected a distribution and a version such as ubuntu-24.04, found 'ubunut-24.04'; "
            "did you mean ubuntu-24.04?",
        ),
        (
            {"machine": {"os": "debian"}},
            "machine.os: expected a distribution and a version such as ubuntu-24.04, found 'debian'; "
            "known are almalinux, centos, debian, rhel, rocky, ubuntu",
        ),
        (
            {"machine": {"gpus": {"H100 SXM": 8}}},
            "machine.gpus: expected a data-center GPU's name or PCI device id, found 'H100 SXM'; "
            "did you mean H100 SXM5?",
        ),
        ({"machine": {"gpus": {"L40S": 0}}}, f"machine.gpus.L40S: expected greater than 0, found 0 (int); {SEE}"),
        (
            {"machine": {"platform": "azure-nd-v6"}},
            "machine.platform: expected 'bare-metal', 'azure-nd-v4', 'azure-nd-v5', 'azure-gb-v6', 'aws-p4', 'aws-p5', "
            "'aws-p6', 'gcp-a3-high', 'gcp-a3-mega', 'gcp-a3-ultra', 'gcp-a4' or 'cloud', found 'azure-nd-v6' (str); "
            "did you mean 'azure-nd-v5'?",
        ),
    ],
)
def test_data_that_mean_nothing(data: dict[str, Any], message: str) -> None:
    assert faults(**data) == [f"gpu-[1-2]: {message}"]


def test_hosts_with_other_faults_are_not_held_against_the_matrix() -> None:
    machine = {"os": "ubuntu-24.04", "gpus": {"Tesla V100 SXM2 32GB": 8}}
    stack = {"driver": "590"}
    assert [line.partition(": expected")[0] for line in faults(machine=machine, stack=stack)][:1] == [
        "gpu-[1-2]: stack: driver"
    ]
    assert faults(machine=machine, stack=stack, base={"swop": "off"}) == [
        "gpu-[1-2]: base.swop: unknown option; did you mean swap?"
    ]


def test_the_page_of_the_cluster_lists_every_option() -> None:
    text = (ROOT / PAGES[ClusterData]).read_text(encoding="utf-8")
    assert [name for name in ClusterData.model_fields if f"| `{name}` |" not in text] == []
