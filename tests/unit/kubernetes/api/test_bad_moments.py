"""The gate where an API server is unwell, or forbids something of one node: what is done all the same, and told."""

from __future__ import annotations

import json

import pytest

from gpufleet.health.outcomes import Outcome
from gpufleet.kubernetes import gated, preflight, turn
from gpufleet.kubernetes.judgment import judge, unverified
from gpufleet.kubernetes.names import PREFLIGHT
from tests.support.api_server import ApiServer
from tests.support.node_checks import AT, LOST, Nodes, checks


def test_a_rule_against_one_node_stops_no_other(server: ApiServer, fleet: Nodes) -> None:
    """The first request is refused, whichever thread sends it."""
    names = [f"gpu-{number:02}" for number in range(40)]
    for name in names:
        server.add(name)
    text = 'admission webhook "x.example.org" denied the request: frozen'
    status = json.dumps({"kind": "Status", "message": text, "code": 403})
    server.first = [(403, {"Content-Type": "application/json"}, status)]
    done = preflight.act([(host, judge(checks(host.name))) for host in fleet(*names).values()], AT)
    (refused,) = [each for each in done if each.action is gated.Action.IMPOSSIBLE]
    expected = f'expected no rule against get nodes {refused.node}, found "{text}"; ask who made the rule that it names'
    assert refused.reason == f"{server.url}: {expected}"
    assert len(server.patches) == 39


def test_a_server_that_is_unwell_for_a_moment_stops_nothing(server: ApiServer, fleet: Nodes) -> None:
    names = [f"gpu-{number:02}" for number in range(40)]
    for name in names:
        server.add(name)
    server.first = [(503, {}, "no backend"), None] * 2  # no more than one node bears, should it meet all of them
    waited: list[float] = []
    judged = [(host, judge(checks(host.name))) for host in fleet(*names).values()]
    done = preflight.act(judged, AT, pause=waited.append)
    assert {each.action for each in done} == {gated.Action.CONFIRMED}
    assert len(waited) == 4


def test_a_server_that_is_gone_is_given_up(server: ApiServer, fleet: Nodes) -> None:
    names = [f"gpu-{number:02}" for number in range(40)]
    server.first = [None] * 1000
    judged = [(host, judge(checks(host.name))) for host in fleet(*names).values()]
    (line,) = gated.lines(preflight.act(judged, AT, pause=lambda seconds: None))
    found = (
        f'{server.url}: expected an answer of the API server, found "Server disconnected without sending a response."'
    )
    assert line.startswith(f"gpu-[00-39] node not changed: {found}; check the server in ")
    assert len(server.asked) <= 5 * (turn.AT_ONCE + turn.SILENCES)


def test_those_to_be_shut_out_come_first(server: ApiServer, fleet: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn, "AT_ONCE", 1)
    for name in ("gpu-1", "gpu-2", "gpu-3", "gpu-4"):
        server.add(name, taints=[PREFLIGHT.model_dump()])
    judgments = [
        judge(checks("gpu-1")),
        unverified("no answer"),
        judge(checks("gpu-3")),
        judge(checks("gpu-4", Outcome.FAIL, LOST)),
    ]
    done = preflight.act(zip(fleet(*server.nodes).values(), judgments, strict=True), AT)
    assert [name for name, _ in server.patches] == ["gpu-2", "gpu-4", "gpu-1", "gpu-3"]
    assert [each.host for each in done] == ["gpu-1", "gpu-2", "gpu-3", "gpu-4"]


def test_a_patch_whose_answer_got_lost_is_told(server: ApiServer, fleet: Nodes) -> None:
    server.add("gpu-1", taints=[PREFLIGHT.model_dump()])
    server.first = [(), None]
    host = fleet("gpu-1")["gpu-1"]
    done = preflight.act([(host, judge(checks("gpu-1")))], AT, pause=lambda seconds: None)
    assert [each.action for each in done] == [gated.Action.LIFTED]
    assert [verb for verb, _ in server.asked] == ["get", "patch", "patch", "get"]
    assert len(server.patches) == 1
