"""What the role kubelet does before the container runtime: refusals, and the way out of a cluster."""

from __future__ import annotations

from typing import Any

import pytest

from gpufleet.kubernetes.drained import Occupancy
from gpufleet.kubernetes.server import Answer
from roles.kubelet.deploy import kubelet_beforehand
from tests.support.driver_facts import without_noops
from tests.support.kubelet_world import STATIC, KubeletWorld, kubelet_plan
from tests.support.plans import assert_plan

UBUNTU = "ubuntu-24.04"
GIVEN = {"version": "1.36.3", "api_server": "10.0.0.1:6443"}
DRAINED = Occupancy(joined=True, cordoned=True, sandboxes=2)
BUSY = Occupancy(joined=True, cordoned=False, pods=("default/train-0",), sandboxes=3)


def planned(data: dict[str, Any], **given: Any) -> str:
    return kubelet_plan(KubeletWorld(mark="@-1", **given), data, UBUNTU, kubelet_beforehand)


@pytest.mark.parametrize(
    ("case", "given", "changes"),
    [
        ("leaves", {"identity": "gpu-07", "occupancy": DRAINED}, {"state": "absent"}),
        ("is_in_use", {"identity": "gpu-07", "occupancy": BUSY}, {"state": "absent"}),
        ("server_is_older", {"server": Answer(200, "1.35.4", 0)}, {}),
        ("server_is_silent", {"server": Answer()}, {}),
        ("unlike_kubeadm", {"repository": {"kubelet": ["1.36.3-1.1"], "kubeadm": ["1.36.2-1.1"]}}, {}),
    ],
)
def test_plan(case: str, given: dict[str, Any], changes: dict[str, Any]) -> None:
    assert_plan("kubelet", f"beforehand_{case}", planned({"kubelet": {**GIVEN, **changes}}, **given))


def test_another_minor_release_of_a_node_in_use() -> None:
    installed = dict.fromkeys(("kubelet", "kubeadm", "kubectl"), "1.35.6-1.1")
    text = planned({"kubelet": GIVEN}, identity="gpu-07", occupancy=BUSY, installed=installed)
    assert_plan("kubelet", "beforehand_minor_release", text)


def test_other_managers_of_a_node_in_use() -> None:
    data = {"kubelet": {**GIVEN, "managers": {"cpu": "none"}, "reserved": {"cpus": ""}}}
    assert_plan("kubelet", "beforehand_managers", planned(data, identity="gpu-07", occupancy=BUSY, records=STATIC))


@pytest.mark.parametrize("data", [{}, {"kubelet": GIVEN}], ids=["no key", "a node that can be"])
def test_nothing_to_do(data: dict[str, Any]) -> None:
    assert without_noops(planned(data)) == ""
