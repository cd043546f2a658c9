"""The gate at work on a stand-in API server: nodes of several hosts, and what is said of each."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gpufleet.health.outcomes import Outcome
from gpufleet.health.verification import Verification
from gpufleet.kubernetes import gated, preflight, turn
from gpufleet.kubernetes.gate import EVIDENCE, FAILED, REASON, TAINT, VERIFIED_AT
from gpufleet.kubernetes.gating import gate
from gpufleet.kubernetes.judgment import judge, unverified
from gpufleet.kubernetes.names import PREFLIGHT
from tests.support.api_server import ApiServer
from tests.support.inventories import inventory_of
from tests.support.node_checks import AT, LOST, REASON_TEXT, Nodes, checks

OTHERS = {"key": "example.org/reserved", "effect": "NoExecute", "timeAdded": "2026-11-23T10:00:00Z"}


def test_a_fleet_of_every_kind(server: ApiServer, fleet: Nodes) -> None:
    for name in ("gpu-1", "gpu-2", "gpu-3"):
        server.add(name, taints=[PREFLIGHT.model_dump(), OTHERS])
    server.add("gpu-4")
    hosts = fleet("gpu-1", "gpu-2", "gpu-3", "gpu-4", "gpu-5")
    judgments = [
        judge(checks("gpu-1")),
        judge(checks("gpu-2", Outcome.FAIL, LOST)),
        judge(checks("gpu-3"), ["cuda"]),
        unverified("no answer"),
        judge(checks("gpu-5")),
    ]
    done = preflight.act(zip(hosts.values(), judgments, strict=True), AT)
    cure = "join the host, or correct kubelet.node_name"
    assert [*gated.lines(done)] == [
        f"gpu-1 node gpu-1: preflight taint lifted (evidence {judgments[0].evidence})",
        f"gpu-2 node gpu-2: preflight taint put on (evidence {judgments[1].evidence}): {REASON_TEXT}",
        "gpu-3 node gpu-3: left as it is: not checked: cuda",
        "gpu-4 node gpu-4: preflight taint put on: not verified: no answer",
        f"gpu-5 node not changed: {server.url}: expected a node gpu-5, found none; {cure}",
    ]
    assert not gated.ok(done)
    assert gated.document(done)["gpu-2"] == {
        "node": "gpu-2",
        "action": "tainted",
        "reason": REASON_TEXT,
        "evidence": judgments[1].evidence,
    }
    taints = {name: node["spec"].get("taints") for name, node in server.nodes.items()}
    pending = PREFLIGHT.model_dump()
    assert taints == {"gpu-1": [OTHERS], "gpu-2": [FAILED, OTHERS], "gpu-3": [pending, OTHERS], "gpu-4": [FAILED]}
    assert server.nodes["gpu-1"]["metadata"]["labels"] == {
        "kubernetes.io/hostname": "gpu-1",
        VERIFIED_AT: "2026-11-23T14-37-10Z",
        EVIDENCE: judgments[0].evidence,
    }
    assert server.nodes["gpu-2"]["metadata"]["annotations"] == {REASON: REASON_TEXT}


def test_conditions_labels_and_taints_of_others_survive(server: ApiServer, fleet: Nodes) -> None:
    """Others write while the gate decides, and nothing of theirs is lost."""
    before = server.add("gpu-1", taints=[PREFLIGHT.model_dump()])["status"]

    def meanwhile(node: dict[str, Any]) -> None:
        node["spec"]["taints"].append(OTHERS)
        node["metadata"]["labels"]["nvidia.com/gpu.present"] = "true"

    server.meanwhile = [meanwhile]
    hosts = fleet("gpu-1")
    done = preflight.act([(hosts["gpu-1"], judge(checks("gpu-1")))], AT)
    assert [each.action for each in done] == [gated.Action.LIFTED]
    node = server.nodes["gpu-1"]
    assert (node["spec"]["taints"], node["status"]) == ([OTHERS], before)
    assert node["metadata"]["labels"]["nvidia.com/gpu.present"] == "true"
    assert server.asked == [("get", "gpu-1"), ("patch", "gpu-1")] * 2


def test_again_and_back_again(server: ApiServer, fleet: Nodes) -> None:
    server.add("gpu-1", taints=[PREFLIGHT.model_dump()])
    host = fleet("gpu-1")["gpu-1"]
    good, bad = judge(checks("gpu-1")), judge(checks("gpu-1", Outcome.FAIL, LOST))
    actions = [preflight.act([(host, each)], AT)[0].action.value for each in (good, good, bad, bad, good)]
    assert actions == ["lifted", "confirmed", "tainted", "kept", "lifted"]
    assert len(server.patches) == 3
    assert TAINT not in str(server.nodes["gpu-1"]["spec"])
    assert server.nodes["gpu-1"]["metadata"]["annotations"] == {}


def test_a_node_of_another_name(server: ApiServer, fleet: Nodes) -> None:
    server.add("rack-7.gpu-1")
    hosts = fleet("gpu-1", kubelet={"node_name": "rack-7.gpu-1"})
    done = preflight.act([(hosts["gpu-1"], unverified("no answer"))], AT)
    text = "gpu-1 node rack-7.gpu-1: preflight taint put on: not verified: no answer"
    assert [str(each) for each in done] == [text]


def test_what_stops_the_whole_cluster_is_one_line(server: ApiServer, fleet: Nodes) -> None:
    names = [f"gpu-{number:03}" for number in range(40)]
    server.granted.clear()
    hosts = fleet(*names)
    done = preflight.act([(host, unverified("no answer")) for host in hosts.values()], AT)
    (line,) = gated.lines(done)
    cure = "apply gpufleet/kubernetes/rbac.yaml, and use its service account"
    assert line.startswith(f"gpu-[000-039] node not changed: {server.url}: expected the right to get nodes, found ")
    assert line.endswith(f'cannot get resource "nodes" in API group "" at the cluster scope"; {cure}')
    assert len(done) == 40
    assert len(server.asked) <= turn.AT_ONCE


def test_hosts_without_a_kubeconfig_are_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    hosts = inventory_of({"gpu-1": {"kubelet": {}}, "gpu-2": {"kubelet": {}}, "web": {}}).hosts
    result = Verification(hosts, [*checks("gpu-1"), *checks("gpu-2"), *checks("web")])
    done = gate([*hosts.values()], result, {})
    cure = "give one in kubernetes.kubeconfig or $KUBECONFIG, or leave nodes alone with --no-gate"
    assert [*gated.lines(done)] == [
        f"gpu-[1-2] node not changed: KUBECONFIG: expected a kubeconfig, found no file {tmp_path / 'none'}; {cure}"
    ]


def test_a_part_of_the_checks_needs_no_api_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    hosts = inventory_of({"gpu-1": {"kubelet": {}}}).hosts
    done = gate([*hosts.values()], Verification(hosts, checks("gpu-1")), {"gpu-1": ["cuda", "kubelet"]})
    assert [*gated.lines(done)] == ["gpu-1 node gpu-1: left as it is: not checked: cuda, kubelet"]
    assert gated.ok(done)


def test_a_host_the_deploy_did_not_finish(server: ApiServer, fleet: Nodes) -> None:
    server.add("gpu-1")
    hosts = fleet("gpu-1")
    done = gate([*hosts.values()], Verification(()), {"gpu-1": ["cuda"]})
    text = "gpu-1 node gpu-1: preflight taint put on: not verified: the deploy did not come to its end"
    assert [str(each) for each in done] == [text]


def test_strict_counts_what_is_unproven(server: ApiServer, fleet: Nodes) -> None:
    server.add("gpu-1")
    hosts = fleet("gpu-1")
    result = Verification(hosts, checks("gpu-1", Outcome.UNPROVEN, "no answer"))
    actions = [gate([*hosts.values()], result, {}, strict=strict)[0].action.value for strict in (False, True)]
    assert actions == ["confirmed", "tainted"]


def test_hosts_behind_no_gate_import_no_client() -> None:
    program = (
        "import sys\n"
        "from gpufleet.health.verification import Verification\n"
        "from gpufleet.inventory.hosts import InventoryHost\n"
        "from gpufleet.health import command\n"
        "from gpufleet.converge import command\n"
        "from gpufleet.kubernetes.gating import gate\n"
        "of = [{'base': {}}, {'kubelet': {'preflight': False}}, {'kubelet': {'state': 'absent'}}]\n"
        "assert gate([InventoryHost('a', 'ssh', (), data) for data in of], Verification(['a']), {}) == []\n"
        "print(sorted({'lightkube', 'httpx2', 'gpufleet.kubernetes.api'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
