"""What a host asks and tells a real API server with a node's rights alone, and how a real kubeadm fails there."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gpufleet.facts import kubelet as facts
from gpufleet.kubernetes.drained import Occupancy
from gpufleet.kubernetes.join import Joining, Papers, with_token
from gpufleet.kubernetes.names import PREFLIGHT
from gpufleet.lab import waiting
from gpufleet.lab.control_plane import programs
from gpufleet.lab.control_plane.programs import Programs
from gpufleet.operations import kubeadm
from tests.support import cluster_info, proxies
from tests.support.certificates import Authority
from tests.support.cluster_info import TOKEN
from tests.support.loopback_api import LoopbackApi, of_certificate

pytestmark = pytest.mark.kubernetes

NODE = "gpu-07"
OTHERS = {"kubernetes.io/hostname": NODE, "team": "x"}


@pytest.fixture(scope="module")
def kube() -> Programs:
    return programs.ensure(print)


@pytest.fixture(scope="module")
def api(kube: Programs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoopbackApi]:
    with pytest.MonkeyPatch.context() as patch:
        proxies.forget(patch)
        with LoopbackApi(kube, tmp_path_factory.mktemp("api")) as api:
            yield api


class Host:
    """A shell that finds the programs, on a host whose files are below a directory of the test's."""

    def __init__(self, kube: Programs, folder: Path) -> None:
        self.folder = folder
        self._environment = {**os.environ, "PATH": f"{folder}:{kube.directory}:{os.environ['PATH']}"}

    def run(self, command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        shell = ["sh", "-c", command]
        environment = self._environment
        return subprocess.run(shell, input=stdin, capture_output=True, text=True, check=False, env=environment)

    def ask(self, fact: Any, *arguments: Any) -> Any:
        return fact().process(self.run(fact().command(*arguments)).stdout.splitlines())


@pytest.fixture
def host(kube: Programs, api: LoopbackApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    """A host that is a node, by the certificate that a kubelet gets at its join."""
    pair = api.authority.pair(f"system:node:{NODE}", organization="system:nodes")
    (tmp_path / "client.pem").write_bytes(pair.certificate + pair.key)
    (tmp_path / "pods/one").mkdir(parents=True)
    monkeypatch.setattr(facts, "KUBECONFIG", str(api.kubeconfig("node", of_certificate(pair))))
    monkeypatch.setattr(facts, "CERTIFICATE", str(tmp_path / "client.pem"))
    monkeypatch.setattr(facts, "DIRECTORY", str(tmp_path))
    return Host(kube, tmp_path)


def test_anybody_learns_version_and_time(host: Host, api: LoopbackApi, kube: Programs) -> None:
    found = host.ask(facts.ApiServer, api.url.removeprefix("https://"))
    assert (found.status, found.version) == (200, kube.version)
    assert abs(found.ahead) <= 2


def test_a_node_learns_what_is_not_told_to_everybody(
    host: Host, api: LoopbackApi, kube: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint, binding = api.url.removeprefix("https://"), "system:public-info-viewer"
    (host.folder / "kubelet.conf").write_text(
        f"clusters:\n- cluster:\n    server: {api.url}\n  name: default-cluster\n"
    )
    monkeypatch.setattr(facts, "KUBECONFIG", str(host.folder / "kubelet.conf"))
    node, others = facts.CERTIFICATE, str(host.folder / "none.pem")

    def refused() -> tuple[bool, str]:
        monkeypatch.setattr(facts, "CERTIFICATE", others)
        found = host.ask(facts.ApiServer, endpoint)
        return (found.status, found.version) == (403, ""), str(found)

    api.kubectl("delete", "clusterrolebinding", binding)
    waiting.until("kube-apiserver", "a version that is not told to everybody", refused, 30)
    monkeypatch.setattr(facts, "CERTIFICATE", node)
    for asked in (endpoint, ""):
        found = host.ask(facts.ApiServer, asked)
        assert (found.status, found.version) == (200, kube.version)
    groups = [f"--group=system:{kind}" for kind in ("authenticated", "unauthenticated")]
    api.kubectl("create", "clusterrolebinding", binding, f"--clusterrole={binding}", *groups)


def test_a_node_before_it_registers(host: Host) -> None:
    assert host.ask(facts.NodeIdentity) == NODE
    assert host.ask(facts.NodeLabels) is None
    assert host.ask(facts.NodeOccupancy, NODE) == Occupancy(joined=True, sandboxes=1)


def test_a_node_learns_its_labels_and_sets_ours(host: Host, api: LoopbackApi) -> None:
    api.kubectl("create", "--filename=-", data={"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}})
    api.kubectl("label", "node", NODE, *(f"{key}={value}" for key, value in OTHERS.items()))
    assert host.ask(facts.NodeLabels) == OTHERS
    label = f"kubectl --kubeconfig={facts.KUBECONFIG} --request-timeout=10s label --overwrite node {NODE}"
    assert host.run(f"{label} gpufleet.dev/rack=a1 gpufleet.dev/rail=1").returncode == 0
    assert host.run(f"{label} gpufleet.dev/rack=a2 gpufleet.dev/rail-").returncode == 0
    assert host.ask(facts.NodeLabels) == {**OTHERS, "gpufleet.dev/rack": "a2"}
    refused = host.run(f"{label} node-role.kubernetes.io/gpu=")
    assert (refused.returncode, "is not allowed to modify labels" in refused.stderr) == (1, True)


def pod(name: str, **metadata: Any) -> dict[str, Any]:
    spec = {"nodeName": NODE, "containers": [{"name": "c", "image": "i"}], "automountServiceAccountToken": False}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, **metadata}, "spec": spec}


def test_a_node_learns_what_runs_on_it(host: Host, api: LoopbackApi) -> None:
    api.kubectl("create", "serviceaccount", "default")
    owner = {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "agent", "uid": "1"}
    for each in (pod("train-0"), pod("agent-x", ownerReferences=[owner])):
        api.kubectl("create", "--filename=-", data=each)
    found = host.ask(facts.NodeOccupancy, NODE)
    assert found == Occupancy(joined=True, cordoned=False, pods=("default/train-0",), sandboxes=1)
    api.kubectl("cordon", NODE)
    api.kubectl("delete", "pod", "train-0", "--force", "--grace-period=0")
    found = host.ask(facts.NodeOccupancy, NODE)
    assert found == Occupancy(joined=True, cordoned=True, sandboxes=1)
    assert found.is_free


@pytest.fixture(scope="module")
def published(api: LoopbackApi) -> None:
    cluster_info.publish(api)


@pytest.mark.parametrize(
    ("token", "endpoint", "expected"),
    [
        ("zzzzzz.0123456789abcdef", "", "expected a token that the cluster knows, found one that is wrong, or has "
         "expired; run `kubeadm token create` on a control plane, and give the new token"),
        ("abcdef.0123456789abcde0", "", "expected a token whose second half is the cluster's too, found one that the "
         "cluster did not sign with; run `kubeadm token create` on a control plane, and give the new token"),
        (TOKEN, "", "expected the cluster's certificate authority with the declared hash, found an authority with "
         "another one; see that api_server is the right cluster's; then take the hash from its ca.crt"),
        (TOKEN, "127.0.0.1:1", "expected an API server that answers, found a refused connection; see that it runs, and "
         "that api_server is right"),
    ],
    ids=["unknown token", "half a token", "another authority", "no server"],
)  # fmt: skip
def test_how_a_join_fails(
    host: Host,
    api: LoopbackApi,
    published: None,
    monkeypatch: pytest.MonkeyPatch,
    token: str,
    endpoint: str,
    expected: str,
) -> None:
    """Each of these ends before kubeadm writes anything; the machine's own kubelet, if there is one, is left alone."""
    monkeypatch.setattr(kubeadm, "FOLDER", str(host.folder / "join"))
    monkeypatch.setattr(kubeadm, "LEFT", (str(host.folder / "left"),))
    (host.folder / "systemctl").write_text("#!/bin/sh\n")
    (host.folder / "systemctl").chmod(0o755)
    place = endpoint or api.url.removeprefix("https://")
    joining = Joining(NODE, f"unix://{host.folder}/none.sock", {}, ("all",), 10)
    hashes = [f"sha256:{hashlib.sha256(Authority().pem).hexdigest()}"]
    text = with_token(joining, place, token, hashes)
    done = host.run(kubeadm.script(NODE, Papers(text), place, 60), text)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"gpu-07: cluster at {place}: {expected}"
    assert not (host.folder / "join").exists()


@pytest.fixture
def without_kubeadm(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """What would be kubeadm says a word and fails."""
    monkeypatch.setattr(kubeadm, "FOLDER", str(host.folder / "join"))
    monkeypatch.setattr(kubeadm, "LEFT", (str(host.folder / "left"),))
    for name, script in (("systemctl", "true"), ("kubeadm", "echo joins; exit 1")):
        (host.folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (host.folder / name).chmod(0o755)


def joins(host: Host, api: LoopbackApi, node: str, authority: Authority) -> list[str]:
    """Join by the token; what is said."""
    place = api.url.removeprefix("https://")
    key = x509.load_pem_x509_certificate(authority.pem).public_key()
    digest = hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()
    text = with_token(Joining(node, "unix:///none", {}), place, TOKEN, [f"sha256:{digest}"])
    papers = Papers(text)
    question = kubeadm.question("gpu-07", node, papers, place, PREFLIGHT)
    done = host.run(kubeadm.script("gpu-07", papers, place, 60, question), text)
    assert not (host.folder / "join").exists()
    return done.stderr.replace(place, "SERVER").splitlines()


UNKNOWN = "gpu-07: whether the cluster at SERVER has a node old is not known: "
FORBIDDEN = (
    'Error from server (Forbidden): nodes "old" is forbidden: User "system:bootstrap:abcdef" cannot get resource '
    '"nodes" in API group "" at the cluster scope'
)
REFUSED = (
    "gpu-07: cluster at SERVER: expected no node old before the host joins, or one with the taint "
    "gpufleet.dev/preflight, found one without it, where pods would start before the host is verified: a kubelet "
    "taints only a node that it makes; run `kubectl delete node old`, or "
    "`kubectl taint node old gpufleet.dev/preflight=pending:NoSchedule`, and deploy again"
)


def test_a_node_that_was_left_behind(host: Host, api: LoopbackApi, published: None, without_kubeadm: None) -> None:
    def allowed() -> tuple[bool, str]:
        said = joins(host, api, "old", api.authority)
        return said == ["joins"], str(said)

    assert joins(host, api, "old", api.authority) == [f"{UNKNOWN}{FORBIDDEN}", "joins"]
    cluster_info.let_get_nodes(api)
    waiting.until("kube-apiserver", "the right to get nodes", allowed, 30)
    api.kubectl("create", "--filename=-", data={"apiVersion": "v1", "kind": "Node", "metadata": {"name": "old"}})
    assert joins(host, api, "old", api.authority) == [REFUSED]
    api.kubectl("taint", "node", "old", f"{PREFLIGHT}")
    assert joins(host, api, "old", api.authority) == ["joins"]


def test_a_node_that_was_left_behind_by_a_kubeconfig(
    host: Host, api: LoopbackApi, without_kubeadm: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kubeadm, "KUBECONFIG_THERE", str(host.folder / "join/bootstrap.conf"))
    administrator = of_certificate(api.authority.pair("admin", organization="system:masters"))
    papers = Papers("none", api.kubeconfig("bootstrap", administrator).read_text())
    api.kubectl("create", "--filename=-", data={"apiVersion": "v1", "kind": "Node", "metadata": {"name": "older"}})
    for node, expected in (("older", REFUSED.replace("node old", "node older")), ("other", "joins")):
        question = kubeadm.question("gpu-07", node, papers, "SERVER", PREFLIGHT)
        done = host.run(kubeadm.script("gpu-07", papers, "SERVER", 60, question), str(papers.kubeconfig))
        assert done.stderr.splitlines() == [expected]


def test_another_authority_is_shown_no_token(
    host: Host, api: LoopbackApi, published: None, without_kubeadm: None
) -> None:
    said = joins(host, api, "old", Authority())
    assert (len(said), said[0].startswith(UNKNOWN), said[1]) == (2, True, "joins")
    assert "unable to read certificate-authority" in said[0]
