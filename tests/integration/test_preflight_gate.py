"""The gate on a real API server, as the service account of gpufleet's own manifest and with no other right.

One story in the order of the tests: a node is let in, kept out and let in again, and what others wrote stays. No
kubelet runs here: the node is registered by hand, as a kubelet registers its own.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gpufleet.health.outcomes import Outcome
from gpufleet.kubernetes import gate, kubeconfig
from gpufleet.kubernetes.api import FIELD_MANAGER, Cluster, Node
from gpufleet.kubernetes.data import ClusterData
from gpufleet.kubernetes.gate import EVIDENCE, FAILED, REASON, VERIFIED_AT
from gpufleet.lab import waiting
from gpufleet.lab.control_plane import programs
from gpufleet.options.secret import Secret
from tests.support import proxies
from tests.support.certificates import DAY, Authority
from tests.support.gate_world import AT, BAD, EVICTING, GOOD, GPU, LOST, NODE, act, judged, of_others, own, register
from tests.support.loopback_api import LoopbackApi, of_certificate

pytestmark = pytest.mark.kubernetes

#: When the verifications began: each test's later than those of the tests before it.
AGAIN, LOST_AT, BACK = (AT + timedelta(hours=hours) for hours in (1, 2, 3))
_DAYS = itertools.count(1)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoopbackApi]:
    with pytest.MonkeyPatch.context() as patch:
        proxies.forget(patch)
        with LoopbackApi(programs.ensure(print), tmp_path_factory.mktemp("api")) as api:
            yield api


@pytest.fixture(scope="module")
def of_theirs(api: LoopbackApi) -> list[Any]:
    """What others have written on the node before the gate acts."""
    return register(api)


@pytest.fixture(scope="module")
def account(api: LoopbackApi, of_theirs: list[Any]) -> Path:
    """A kubeconfig of gpufleet's service account, on a server that knows the node."""
    return api.account()


def test_the_account_may_do_exactly_what_the_manifest_says(api: LoopbackApi, account: Path) -> None:
    rights = api.kubectl("auth", "can-i", "--list", "--no-headers", config=account).splitlines()
    (nodes,) = [line.split() for line in rights if line.startswith("nodes")]
    assert nodes == ["nodes", "[]", "[]", "[get", "patch]"]
    refused = [
        ("get", "nodes"),
        ("get", "pods", "--all-namespaces"),
        ("get", "secrets", "--namespace=gpufleet"),
        ("delete", "node", NODE),
        ("get", f"--raw=/api/v1/nodes/{NODE}/proxy/configz"),
        ("patch", "node", NODE, "--subresource=status", "--type=merge", '--patch={"status": {"phase": "x"}}'),
    ]
    for words in refused:
        done = api.asked(*words, config=account)
        assert (done.returncode, "forbidden" in done.stderr.lower()) == (1, True), words


def test_a_node_is_let_in(api: LoopbackApi, account: Path, of_theirs: list[Any]) -> None:
    assert [taint for taint in of_theirs[0] if taint in (GPU, EVICTING)] == [GPU, EVICTING]
    assert act(account) == f"{NODE} node {NODE}: preflight taint lifted (evidence {GOOD})"
    node = api.node(NODE)
    assert own(node) == ([], {VERIFIED_AT: gate.stamp(AT), EVIDENCE: GOOD})
    assert of_others(node) == of_theirs
    assert FIELD_MANAGER in {entry["manager"] for entry in node["metadata"]["managedFields"]}


def test_the_same_once_more_writes_nothing_and_later_the_time_alone(api: LoopbackApi, account: Path) -> None:
    before = api.node(NODE)["metadata"]["resourceVersion"]
    text = f"{NODE} node {NODE}: no preflight taint, verified anew (evidence {GOOD})"
    assert act(account) == text
    assert api.node(NODE)["metadata"]["resourceVersion"] == before
    assert act(account, at=AGAIN) == text
    assert own(api.node(NODE)) == ([], {VERIFIED_AT: gate.stamp(AGAIN), EVIDENCE: GOOD})


def test_it_is_kept_out_with_the_reason(api: LoopbackApi, account: Path, of_theirs: list[Any]) -> None:
    text = f"{NODE} node {NODE}: preflight taint put on (evidence {BAD}): {LOST}"
    assert act(account, Outcome.FAIL, at=LOST_AT) == text
    node = api.node(NODE)
    assert own(node) == ([FAILED], {VERIFIED_AT: gate.stamp(LOST_AT), EVIDENCE: BAD, REASON: LOST})
    assert of_others(node) == of_theirs


def test_a_verification_that_began_before_lets_nothing_in(api: LoopbackApi, account: Path) -> None:
    before = api.node(NODE)
    text = f"left as it is (evidence {GOOD}): verified anew since, at {gate.stamp(LOST_AT)}"
    assert act(account, at=AGAIN) == f"{NODE} node {NODE}: {text}"
    assert api.node(NODE) == before


def test_others_who_write_meanwhile_lose_nothing(api: LoopbackApi, account: Path) -> None:
    decisions = 0

    def decide(node: Node) -> gate.Patch | None:
        nonlocal decisions
        decisions += 1
        if decisions < 3:
            api.kubectl("label", "node", NODE, f"example.org/written-{decisions}=1")
            api.kubectl("taint", "node", NODE, f"example.org/written-{decisions}=1:NoSchedule")
        return gate.decide(node, judged(), BACK).patch

    with Cluster(kubeconfig.read(ClusterData(kubeconfig=Secret(file=account)))) as cluster:
        cluster.change(NODE, decide)
    node = api.node(NODE)
    assert decisions == 3
    assert own(node)[0] == []
    assert {"example.org/written-1", "example.org/written-2"} <= {taint["key"] for taint in node["spec"]["taints"]}
    assert {"example.org/written-1", "example.org/written-2"} <= node["metadata"]["labels"].keys()


def test_a_node_it_does_not_know(api: LoopbackApi, account: Path) -> None:
    cure = "join the host, or correct kubelet.node_name"
    found = f"gpu-9 node not changed: {api.url}: expected a node gpu-9, found none; {cure}"
    assert act(account, name="gpu-9") == found


def test_credentials_it_does_not_accept(api: LoopbackApi, account: Path) -> None:
    wrong = api.kubeconfig("wrong", {"token": "wrong"})
    where = f"{NODE} node not changed: {api.url}: expected credentials that it accepts in"
    assert act(wrong) == f'{where} {wrong}, found "Unauthorized"; renew them'
    pair = api.authority.pair("ada", lasting=(-2 * DAY, -DAY))
    old = api.kubeconfig("old", of_certificate(pair))
    assert act(old).startswith(f"{where} {old}, found a client certificate that ended at ")


def test_a_server_of_another_authority(api: LoopbackApi) -> None:
    other = api.kubeconfig("other", {"token": "any"}, Authority("another").pem)
    assert act(other) == (
        f"{NODE} node not changed: {api.url}: expected a certificate of the authority in {other}, "
        'found "unable to get local issuer certificate"; take certificate-authority-data from this cluster'
    )


@pytest.mark.parametrize(("verb", "left"), [("get", "patch"), ("patch", "get")])
def test_each_right_is_needed(api: LoopbackApi, account: Path, verb: str, left: str) -> None:
    only = f'--patch=[{{"op": "replace", "path": "/rules/0/verbs", "value": ["{left}"]}}]'
    api.kubectl("patch", "clusterrole", "gpufleet", "--type=json", only)
    try:
        expected = f"expected the right to {verb} nodes, found "

        def refused() -> tuple[bool, str]:
            line = act(account, Outcome.FAIL, at=BACK + timedelta(days=next(_DAYS)))  # later, or there is no patch
            return expected in line, line

        waiting.until("kube-apiserver", "the right gone", refused, 30)
        account_name = "system:serviceaccount:gpufleet:gpufleet"
        cause = f'User "{account_name}" cannot {verb} resource "nodes" in API group "" at the cluster scope'
        assert refused()[1] == (
            f'{NODE} node not changed: {api.url}: {expected}"nodes "{NODE}" is forbidden: {cause}"; '
            "apply gpufleet/kubernetes/rbac.yaml, and use its service account"
        )
    finally:
        api.account()


def test_a_server_that_is_gone(api: LoopbackApi, account: Path) -> None:
    api.stop("kube-apiserver")
    cure = f"check the server in {account}, and that it runs"
    text = f'expected an answer of the API server, found "Connection refused"; {cure}'
    assert act(account) == f"{NODE} node not changed: {api.url}: {text}"
