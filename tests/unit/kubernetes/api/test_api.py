"""The client against a stand-in over real TLS: what it sends, and what it does not give up on."""

from __future__ import annotations

import base64
import ssl
from pathlib import Path
from typing import Any

import pytest

from gpufleet.errors import ClusterError, NodeError, UnansweredError
from gpufleet.kubernetes.api import ATTEMPTS, Cluster, Node
from gpufleet.kubernetes.retries import DELAYS
from tests.support.api_server import TOKEN, ApiServer
from tests.support.certificates import Authority
from tests.support.clusters import cluster, said

LABEL = {"metadata": {"labels": {"gpufleet.dev/x": "1"}}}


def labeled(node: Node) -> dict[str, Any]:
    return {"metadata": {**LABEL["metadata"], "resourceVersion": node["metadata"]["resourceVersion"]}}


def test_a_node_comes_as_it_is(server: ApiServer, asked: Cluster) -> None:
    node = server.add("gpu-01", taints=[{"key": "a", "effect": "NoSchedule", "addedLater": {"x": [1]}}])
    assert dict(asked.node("gpu-01")) == node


def test_a_change_is_one_patch_of_the_version_read(server: ApiServer, asked: Cluster) -> None:
    server.add("gpu-01")
    asked.change("gpu-01", labeled)
    assert server.asked == [("get", "gpu-01"), ("patch", "gpu-01")]
    assert server.patches == [("gpu-01", {"metadata": {"labels": {"gpufleet.dev/x": "1"}, "resourceVersion": "100"}})]


def test_no_change_is_no_request(server: ApiServer, asked: Cluster) -> None:
    server.add("gpu-01")
    asked.change("gpu-01", lambda node: None)
    assert server.asked == [("get", "gpu-01")]


def label_by_others(node: Node) -> None:
    node["metadata"]["labels"]["example.org/owner"] = "ada"


def test_a_change_by_others_meanwhile_is_not_lost(server: ApiServer, asked: Cluster) -> None:
    server.add("gpu-01")
    server.meanwhile = [label_by_others] * (ATTEMPTS - 1)
    seen: list[bool] = []

    def decide(node: Node) -> dict[str, Any]:
        seen.append("example.org/owner" in node["metadata"]["labels"])
        return labeled(node)

    asked.change("gpu-01", decide)
    assert seen == [False, True, True, True, True]
    assert server.nodes["gpu-01"]["metadata"]["labels"] == {
        "kubernetes.io/hostname": "gpu-01",
        "example.org/owner": "ada",
        "gpufleet.dev/x": "1",
    }


def test_a_node_that_never_holds_still(server: ApiServer, asked: Cluster) -> None:
    server.add("gpu-01")
    server.meanwhile = [label_by_others] * ATTEMPTS
    with pytest.raises(NodeError) as caught:
        asked.change("gpu-01", labeled)
    expected = "expected to patch the node gpu-01, found it changed by others 5 times meanwhile; run again"
    assert str(caught.value) == f"{server.url}: {expected}"
    assert server.patches == []


BALANCER: tuple[int, dict[str, str], str] = (503, {}, "no backend")
TOO_MANY = (429, {"Content-Type": "application/json", "Retry-After": "1"}, '{"kind": "Status", "message": "wait"}')


def test_what_may_be_answered_later_is_asked_again(server: ApiServer, authority: Authority, tmp_path: Path) -> None:
    server.add("gpu-01")
    server.first = [BALANCER, TOO_MANY, None, BALANCER]
    waited: list[float] = []
    with cluster(tmp_path, server.url, authority.pem, pause=waited.append) as asked:
        asked.change("gpu-01", labeled)
    assert waited == [0.5, 1.0, 2.0, 4.0]
    assert server.asked == [("get", "gpu-01")] * 5 + [("patch", "gpu-01")]


def test_it_is_asked_a_few_times(server: ApiServer, authority: Authority, tmp_path: Path) -> None:
    server.first = [BALANCER] * 9
    waited: list[float] = []
    said(tmp_path, server.url, authority.pem, UnansweredError, pause=waited.append)
    assert (waited, len(server.asked)) == ([*DELAYS], len(DELAYS) + 1)


def test_a_patch_whose_answer_got_lost_is_decided_about_anew(server: ApiServer, asked: Cluster) -> None:
    server.add("gpu-01")
    decisions: list[bool] = []

    def decide(node: Node) -> dict[str, Any] | None:
        decisions.append("gpufleet.dev/x" in node["metadata"]["labels"])
        if len(decisions) == 1:
            server.first = [None]
        return None if decisions[-1] else labeled(node)

    asked.change("gpu-01", decide)
    assert decisions == [False, True]
    assert server.asked == [("get", "gpu-01"), ("patch", "gpu-01"), ("patch", "gpu-01"), ("get", "gpu-01")]
    assert len(server.patches) == 1


def test_a_patch_without_the_version_is_never_sent(server: ApiServer, asked: Cluster) -> None:
    server.add("gpu-01")
    with pytest.raises(ValueError, match=r"^a patch of gpu-01 without resourceVersion$"):
        asked.change("gpu-01", lambda node: LABEL)
    assert server.asked == [("get", "gpu-01")]


def test_a_command_prints_the_token(server: ApiServer, authority: Authority, tmp_path: Path) -> None:
    server.add("gpu-01")
    credential = f'{{"status": {{"token": "{TOKEN}"}}}}'
    api = "client.authentication.k8s.io/v1beta1"
    command = {"apiVersion": api, "command": "echo", "args": [credential]}
    with cluster(tmp_path, server.url, authority.pem, exec=command) as asked:
        assert asked.node("gpu-01")["metadata"]["name"] == "gpu-01"
    failing = {**command, "command": "false", "args": []}
    assert said(tmp_path, server.url, authority.pem, exec=failing) == (
        f"{tmp_path / 'kubeconfig'}: expected a server, an authority and credentials that can be read "
        'in the context fleet, found "Exec false returned 1:"; see that kubectl can use it'
    )


def test_a_client_certificate_is_shown_to_the_server(authority: Authority, tmp_path: Path) -> None:
    pair, asking = authority.pair("kube-apiserver"), authority.pair("ada", organization="operators")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair.written(tmp_path, "server"))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=authority.pem.decode())
    user = {
        "client-certificate-data": base64.b64encode(asking.certificate).decode(),
        "client-key-data": base64.b64encode(asking.key).decode(),
    }
    with ApiServer(pair, tmp_path, context) as server:
        server.add("gpu-01")
        where = f"{server.url}: expected credentials that it accepts in {tmp_path / 'kubeconfig'}"
        assert (
            said(tmp_path, server.url, authority.pem, ClusterError, **user)
            == f'{where}, found "Unauthorized"; renew them'
        )
