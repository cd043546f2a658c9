"""Which nodes are not shut out, or not let in, whatever a verification says: too many at once, and too late."""

from __future__ import annotations

from datetime import timedelta

from gpufleet.health.outcomes import Outcome
from gpufleet.health.verification import Verification
from gpufleet.kubernetes import gated, preflight
from gpufleet.kubernetes.gate import FAILED, UNVERIFIED_AT
from gpufleet.kubernetes.gating import gate
from gpufleet.kubernetes.judgment import judge, unverified
from tests.support.api_server import ApiServer
from tests.support.node_checks import AT, LOST, REASON_TEXT, Nodes, checks

CONTROLLER = (
    "this is more likely a fault of the controller, such as its network or its key, than of the hosts, so none of them "
    "was shut out: mend that and verify again, or run `gpufleet verify` with --shut-out-all"
)


def test_a_fleet_that_nobody_reaches_is_not_shut_out(server: ApiServer, fleet: Nodes) -> None:
    """One host failed a check, and is; one node has the taint already, and nothing of it is overwritten."""
    names = [f"gpu-{number:02}" for number in range(20)]
    for name in names:
        server.add(name)
    server.nodes["gpu-19"]["spec"]["taints"] = [FAILED]
    judged = [(host, unverified("no answer")) for host in fleet(*names).values()]
    judged[0] = (judged[0][0], judge(checks("gpu-00", Outcome.FAIL, LOST)))
    done = preflight.act(judged, AT)
    assert [*gated.lines(done)] == [
        f"gpu-00 node gpu-00: preflight taint put on (evidence {judged[0][1].evidence}): {REASON_TEXT}",
        "gpu-[01-19] node not changed: the preflight gate: expected at most 5 of 20 nodes to be shut out because their "
        f"hosts could not be verified, found 18; {CONTROLLER}",
    ]
    assert not gated.ok(done)
    assert [name for name, _ in server.patches] == ["gpu-00"]
    done = preflight.act(judged, AT, shut_out_all=True)
    assert gated.ok(done)
    assert [node["spec"]["taints"] for node in server.nodes.values()] == [[FAILED]] * 20


def test_hosts_that_a_deploy_left_halfway_are_shut_out_however_many(server: ApiServer, fleet: Nodes) -> None:
    names = [f"gpu-{number}" for number in range(8)]
    for name in names:
        server.add(name)
    hosts = [*fleet(*names).values()]
    done = gate(hosts, Verification(()), {}, halfway=names)
    assert {each.action for each in done} == {gated.Action.TAINTED}
    server.nodes = {name: server.add(name) for name in names}
    (line,) = gated.lines(gate(hosts, Verification(()), {}))
    assert line == (
        "gpu-[0-7] node not changed: the preflight gate: expected at most 5 of 8 nodes to be shut out because their "
        f"hosts could not be verified, found 8; {CONTROLLER}"
    )


def test_dead_hosts_that_are_shut_out_already_count_for_nothing(server: ApiServer, fleet: Nodes) -> None:
    names = [f"gpu-{number}" for number in range(9)]
    for name in names:
        server.add(name, taints=[] if name in ("gpu-0", "gpu-8") else [FAILED])
    judged = [(host, unverified("no answer")) for host in fleet(*names).values()]
    judged[8] = (judged[8][0], judge(checks("gpu-8")))
    done = preflight.act(judged, AT)
    assert [each.action.value for each in done] == ["tainted", *["kept"] * 7, "confirmed"]


def test_hosts_that_are_no_nodes_yet_are_told_so(server: ApiServer, fleet: Nodes) -> None:
    judged = [(host, unverified("no answer")) for host in fleet("gpu-1", "gpu-2").values()]
    cure = "join the host, or correct kubelet.node_name"
    assert [*gated.lines(preflight.act(judged, AT))] == [
        f"{name} node not changed: {server.url}: expected a node {name}, found none; {cure}"
        for name in ("gpu-1", "gpu-2")
    ]
    assert len(server.asked) == 2


def test_an_older_verification_lifts_no_newer_taint(server: ApiServer, fleet: Nodes) -> None:
    server.add("gpu-1")
    hosts = fleet("gpu-1")
    old = Verification(hosts, checks("gpu-1"), began=AT)
    new = Verification(hosts, checks("gpu-1", Outcome.FAIL, LOST), began=AT + timedelta(minutes=10))
    first, second = (gate([*hosts.values()], each, {})[0] for each in (new, old))
    assert (first.action, second.action) == (gated.Action.TAINTED, gated.Action.SUPERSEDED)
    assert str(second) == (
        f"gpu-1 node gpu-1: left as it is (evidence {second.evidence}): verified anew since, at 2026-11-23T14-47-10Z"
    )
    assert gated.ok([second])
    assert server.nodes["gpu-1"]["spec"]["taints"] == [FAILED]


def test_nor_does_it_where_the_newer_one_got_no_answer(server: ApiServer, fleet: Nodes) -> None:
    server.add("gpu-1")
    host = fleet("gpu-1")["gpu-1"]
    preflight.act([(host, unverified("no answer"))], AT + timedelta(minutes=10))
    assert server.nodes["gpu-1"]["metadata"]["annotations"][UNVERIFIED_AT] == "2026-11-23T14-47-10Z"
    (done,) = preflight.act([(host, judge(checks("gpu-1")))], AT)
    assert done.action is gated.Action.SUPERSEDED
    (done,) = preflight.act([(host, judge(checks("gpu-1")))], AT + timedelta(minutes=11))
    assert done.action is gated.Action.LIFTED
    assert server.nodes["gpu-1"]["metadata"]["annotations"] == {}
