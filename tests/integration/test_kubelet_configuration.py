"""The real kubelet and kubeadm judge what the role kubelet writes for them; nothing of this machine is changed."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from gpufleet.kubernetes.flags import known
from gpufleet.kubernetes.join import Joining, with_kubeconfig, with_token
from gpufleet.kubernetes.memory import NumaNode
from gpufleet.lab.control_plane import programs
from gpufleet.lab.control_plane.programs import Programs
from gpufleet.operations import kubelet_configuration
from roles.kubelet.decisions import configuration
from roles.kubelet.options import Kubelet

pytestmark = pytest.mark.kubernetes

NODES = [NumaNode(0, 2**39), NumaNode(1, 2**39)]
#: As kubeadm writes it from the cluster's own.
CLUSTERS = """\
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication:
  anonymous: {enabled: false}
  webhook: {cacheTTL: 0s, enabled: true}
authorization: {mode: Webhook}
clusterDNS: [10.96.0.10]
clusterDomain: cluster.local
memoryManagerPolicy: None
reservedMemory: []
evictionHard: {memory.available: 5%}
staticPodPath: /etc/kubernetes/manifests
"""
#: The machine below may have control groups v1.
HERE: dict[str, Any] = {"version": "1.36.3", "fail_cgroup_v1": False}
EVERYTHING: dict[str, Any] = {
    "swap": "limited",
    "managers": {
        "topology": "single-numa-node",
        "scope": "pod",
        "cpu_options": {"full-pcpus-only": "true"},
        "topology_options": {"prefer-closest-numa-nodes": "true"},
    },
    "eviction": {"soft": {"memory.available": "2Gi"}, "grace": {"memory.available": "1m30s"}},
    "taints": [{"key": "example.org/a", "effect": "NoExecute"}],
    "serving_certificate": True,
    "images": {"parallel_pulls": 1},
    "pod_pids": 4096,
}
NOTHING: dict[str, Any] = {
    "managers": {"cpu": "none", "memory": "None", "topology": "none"},
    "reserved": {"cpus": "", "kube": {"cpu": "500m"}, "enforced": ["none"]},
}

START = (
    "gpu-07: /etc/kubernetes/kubelet.conf.d/50-gpufleet.conf: expected a configuration that the installed kubelet "
    "takes, found "
)
CURE = (
    "; correct the options of the role kubelet, or flags in /var/lib/kubelet/kubeadm-flags.env; the old configuration "
    "is still in force\n"
)
#: As kubeadm 1.34 writes it.
KUBEADMS = (
    'KUBELET_KUBEADM_ARGS="--container-runtime-endpoint=unix:///run/containerd/containerd.sock '
    '--pod-infra-container-image=registry.k8s.io/pause:3.10.1 --hostname-override=gpu-07"\n'
)


@pytest.fixture(scope="module")
def kube() -> Programs:
    return programs.ensure(print)


class Place:
    """The kubelet's directories, below one of the test's."""

    def __init__(self, root: Path) -> None:
        self.clusters, self.drop_ins, self.flags = root / "config.yaml", root / "conf.d", root / "kubeadm-flags.env"
        self.new = self.drop_ins / "50-gpufleet.conf.new"
        self.drop_ins.mkdir()

    def judged(self, text: str) -> tuple[int, str]:
        self.new.write_text(text)
        script = kubelet_configuration.check("gpu-07", str(self.new))
        done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False)
        assert not done.stdout
        return done.returncode, done.stderr


@pytest.fixture
def place(kube: Programs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    found = Place(tmp_path)
    monkeypatch.setattr(kubelet_configuration, "PROGRAM", str(kube.path("kubelet")))
    monkeypatch.setattr(kubelet_configuration, "CLUSTERS", str(found.clusters))
    monkeypatch.setattr(kubelet_configuration, "DROP_INS", str(found.drop_ins))
    monkeypatch.setattr(kubelet_configuration, "FLAG_FILES", str(found.flags))
    return found


def text_of(**changes: Any) -> str:
    return configuration(Kubelet.model_validate({**HERE, **changes}), NODES).text()


@pytest.mark.parametrize("over_the_clusters", [False, True], ids=["alone", "over the cluster's"])
@pytest.mark.parametrize("changes", [{}, EVERYTHING, NOTHING], ids=["defaults", "everything", "nothing"])
def test_accepted(place: Place, changes: dict[str, Any], over_the_clusters: bool) -> None:
    if over_the_clusters:
        place.clusters.write_text(CLUSTERS)
    assert place.judged(text_of(**changes)) == (0, "")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("maxPods: -5", "invalid configuration: maxPods (--max-pods) -5 must not be a negative number"),
        ("maxPodz: 5", 'strict decoding error: unknown field \\"maxPodz\\"'),
        ("maxPods: {", "did not find expected"),
    ],
)
def test_refused_in_its_own_words(place: Place, wrong: str, said: str) -> None:
    code, text = place.judged(text_of().replace("maxPods: 110", wrong))
    assert code == 1
    assert text.startswith(START)
    assert said in text
    assert text.endswith(CURE)
    assert not place.new.exists()


@pytest.mark.parametrize("over_the_clusters", [False, True], ids=["alone", "over the cluster's"])
def test_by_the_flags_of_kubeadm(place: Place, over_the_clusters: bool) -> None:
    if over_the_clusters:
        place.clusters.write_text(CLUSTERS)
    place.flags.write_text(KUBEADMS)
    said = "failed to parse kubelet flag: unknown flag: --pod-infra-container-image"
    assert place.judged(text_of()) == (1, f"{START}{said}{CURE}")
    place.flags.write_text(known(KUBEADMS, HERE["version"]))
    assert place.judged(text_of()) == (0, "")


@pytest.mark.parametrize("by", ["token", "kubeconfig"])
def test_kubeadm_takes_both_ways_to_join(kube: Programs, tmp_path: Path, by: str) -> None:
    joining = Joining("gpu-07", "unix:///run/containerd/containerd.sock", {"a/b": "c"}, ("SystemVerification",))
    there, file = tmp_path / "bootstrap.conf", tmp_path / "join.yaml"
    there.write_text("kind: Config\n")
    hashes = [f"sha256:{'0f' * 32}"]
    token = with_token(joining, "10.0.0.1:6443", "abcdef.0123456789abcdef", hashes)
    file.write_text(token if by == "token" else with_kubeconfig(joining, str(there)))
    command = [str(kube.path("kubeadm")), "config", "validate", "--config", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "ok\n", "")
