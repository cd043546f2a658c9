"""What an API server and the way to it can refuse, in whole sentences."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gpufleet.errors import ClusterError, NodeError, UnansweredError
from gpufleet.kubernetes.api import Cluster
from tests.support.api_server import USER, ApiServer
from tests.support.certificates import DAY, Authority
from tests.support.clusters import said
from tests.support.tokens import token


def test_no_such_node(server: ApiServer, asked: Cluster) -> None:
    with pytest.raises(NodeError) as caught:
        asked.node("gpu-09")
    cure = "join the host, or correct kubelet.node_name"
    assert str(caught.value) == f"{server.url}: expected a node gpu-09, found none; {cure}"


@pytest.mark.parametrize("verb", ["get", "patch"])
def test_a_missing_right_is_named(server: ApiServer, asked: Cluster, verb: str) -> None:
    server.add("gpu-01")
    server.granted.remove(("", "nodes", verb))
    with pytest.raises(ClusterError) as caught:
        asked.change("gpu-01", lambda node: {"metadata": {"resourceVersion": node["metadata"]["resourceVersion"]}})
    cause = f'User "{USER}" cannot {verb} resource "nodes" in API group "" at the cluster scope'
    assert str(caught.value) == (
        f'{server.url}: expected the right to {verb} nodes, found "nodes "gpu-01" is forbidden: {cause}"; '
        "apply gpufleet/kubernetes/rbac.yaml, and use its service account"
    )


def test_wrong_credentials(server: ApiServer, authority: Authority, tmp_path: Path) -> None:
    where = f"{server.url}: expected credentials that it accepts in {tmp_path / 'kubeconfig'}, found"
    assert said(tmp_path, server.url, authority.pem, token="wrong") == f'{where} "Unauthorized"; renew them'
    end = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    old = f"a token that ended at {end:%Y-%m-%d %H:%M:%S} UTC"
    assert said(tmp_path, server.url, authority.pem, token=token(end)) == f"{where} {old}; renew them"


def test_a_certificate_of_an_unknown_authority(server: ApiServer, tmp_path: Path) -> None:
    found = said(tmp_path, server.url, Authority("another").pem)
    assert found == (
        f"{server.url}: expected a certificate of the authority in {tmp_path / 'kubeconfig'}, "
        'found "unable to get local issuer certificate"; take certificate-authority-data from this cluster'
    )


@pytest.mark.parametrize(
    ("pair", "expected"),
    [
        (
            {"lasting": (-2 * DAY, -DAY)},
            'expected a certificate in force, found "certificate has expired"; '
            "renew it, or set the clock of this controller",
        ),
        (
            {"lasting": (DAY, 2 * DAY)},
            'expected a certificate in force, found "certificate is not yet valid"; '
            "renew it, or set the clock of this controller",
        ),
        (
            {"address": "10.9.9.9"},
            'expected a certificate for this address, found "IP address mismatch, certificate is not valid for '
            "'127.0.0.1'\"; name the server in {path} as it calls itself",
        ),
    ],
)
def test_a_certificate_that_is_wrong(authority: Authority, tmp_path: Path, pair: dict[str, Any], expected: str) -> None:
    with ApiServer(authority.pair("kube-apiserver", **pair), tmp_path) as server:
        found = said(tmp_path, server.url, authority.pem)
    assert found == f"{server.url}: {expected.replace('{path}', str(tmp_path / 'kubeconfig'))}"


@pytest.mark.parametrize(
    ("status", "body", "kind", "expected"),
    [
        (
            503,
            '{"kind": "Status", "message": "etcdserver: leader changed", "code": 503}',
            UnansweredError,
            'an answer to get nodes gpu-01, found "etcdserver: leader changed"; run again once the API server is well',
        ),
        (
            502,
            "bad gateway",
            UnansweredError,
            "an answer to get nodes gpu-01, found status 502; run again once the API server is well",
        ),
        (
            500,
            '{"kind": "Status", "message": "',
            UnansweredError,
            "an answer to get nodes gpu-01, found status 500; run again once the API server is well",
        ),
        (
            429,
            '{"kind": "Status", "message": "too many requests, please try again later"}',
            UnansweredError,
            'an answer to get nodes gpu-01, found "too many requests, please try again later"; '
            "run again once the API server is well",
        ),
        (
            403,
            '{"kind": "Status", "message": "admission webhook \\"x.example.org\\" denied the request: frozen"}',
            NodeError,
            'no rule against get nodes gpu-01, found "admission webhook "x.example.org" denied the request: frozen"; '
            "ask who made the rule that it names",
        ),
        (
            404,
            "not here",
            NodeError,
            "an answer to get nodes gpu-01, found status 404; run again once the API server is well",
        ),
        (
            200,
            "hello",
            ClusterError,
            "an API server of Kubernetes, found an answer of no such; check the server in {path}",
        ),
        (
            200,
            "[1]",
            ClusterError,
            "an API server of Kubernetes, found an answer of no such; check the server in {path}",
        ),
        (
            409,
            "conflict",
            ClusterError,
            "an API server of Kubernetes, found an answer of no such; check the server in {path}",
        ),
        (
            200,
            '{"hello": 1}',
            ClusterError,
            "an API server of Kubernetes, found an answer of no such; check the server in {path}",
        ),
    ],
)
def test_other_answers(
    server: ApiServer,
    authority: Authority,
    tmp_path: Path,
    status: int,
    body: str,
    kind: type[ClusterError],
    expected: str,
) -> None:
    server.instead = (status, body)
    path = str(tmp_path / "kubeconfig")
    found = said(tmp_path, server.url, authority.pem, kind)
    assert found == f"{server.url}: expected {expected.replace('{path}', path)}"


def test_a_kubeconfig_whose_files_are_missing(server: ApiServer, authority: Authority, tmp_path: Path) -> None:
    where = f"{tmp_path / 'kubeconfig'}: expected a server, an authority and credentials that can be read"
    cure = "see that kubectl can use it"
    found = said(tmp_path, server.url, authority.pem, tokenFile="gone")
    assert found == f'{where} in the context fleet, found "Token file {tmp_path}/gone not found"; {cure}'
    found = said(
        tmp_path, server.url, authority.pem, ClusterError, **{"client-certificate": "a.crt", "client-key": "a.key"}
    )
    assert found == f'{where} in the context fleet, found "[Errno 2] No such file or directory"; {cure}'
    found = said(tmp_path, server.url, b"none")
    assert found.startswith(f"{where} in the context fleet, found ")
