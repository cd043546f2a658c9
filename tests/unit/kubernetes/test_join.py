"""kubeadm's configuration, tokens and hashes, and the answers of API servers."""

from __future__ import annotations

import pytest
import yaml

from gpufleet.kubernetes import join, server
from gpufleet.kubernetes.join import Joining, with_kubeconfig, with_token
from gpufleet.kubernetes.labels import Place, of_node
from gpufleet.kubernetes.server import Answer, objections, version_unknown

RUNTIME = "unix:///run/containerd/containerd.sock"
TOKEN, HASH = "abcdef.0123456789abcdef", f"sha256:{'0f' * 32}"
JOINING = Joining(
    "gpu-07", RUNTIME, {"gpufleet.dev/rack": "a1", "gpufleet.dev/gpu-count": "8"}, ("SystemVerification",)
)
TEXT = f"""\
apiVersion: kubeadm.k8s.io/v1beta4
kind: JoinConfiguration
discovery:
  bootstrapToken:
    apiServerEndpoint: 10.0.0.1:6443
    token: {TOKEN}
    caCertHashes:
    - {HASH}
nodeRegistration:
  name: gpu-07
  criSocket: unix:///run/containerd/containerd.sock
  taints: []
  kubeletExtraArgs:
  - name: node-labels
    value: gpufleet.dev/gpu-count=8,gpufleet.dev/rack=a1
  ignorePreflightErrors:
  - SystemVerification
timeouts:
  discovery: 120s
  tlsBootstrap: 120s
  kubeletHealthCheck: 120s
"""


def test_with_token() -> None:
    assert with_token(JOINING, "10.0.0.1:6443", TOKEN, [HASH]) == TEXT


def test_with_kubeconfig() -> None:
    found = yaml.safe_load(with_kubeconfig(Joining("gpu-07", RUNTIME, {}), "/run/x"))
    assert found["discovery"] == {"file": {"kubeConfigPath": "/run/x"}}
    assert found["nodeRegistration"] == {"name": "gpu-07", "criSocket": RUNTIME, "taints": []}


def test_tokens_and_hashes() -> None:
    assert join.token(f"{TOKEN}\n") == TOKEN
    assert join.hashes(f"{HASH} {HASH}\n") == (HASH, HASH)


@pytest.mark.parametrize("text", ["", "abcdef", "ABCDEF.0123456789abcdef", f"{TOKEN}0"])
def test_a_text_that_is_no_token_is_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match="token") as refused:
        join.token(text)
    assert str(refused.value) == (
        "expected a token of six and sixteen letters or digits with a dot between, found none; "
        "give what `kubeadm token create` printed"
    )


COMMAND = f"kubeadm join 10.0.0.1:6443 --token {TOKEN} --discovery-token-ca-cert-hash {HASH}"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "nothing"),
        ("sha1:00", "1 word of another kind"),
        (f"{HASH} {HASH}0 x", "2 words of another kind"),
        (COMMAND, "6 words of another kind"),
    ],
)
def test_other_hashes_are_not_repeated(text: str, found: str) -> None:
    with pytest.raises(ValueError, match="sha256") as refused:
        join.hashes(text)
    assert str(refused.value) == (
        f"expected sha256: and 64 hexadecimal digits, found {found}; "
        "give what `kubeadm token create --print-join-command` prints after --discovery-token-ca-cert-hash"
    )


#: As kube-apiserver 1.36.3 answers `GET /version HTTP/1.0`; 1795442400 is that date in Unix seconds.
ANSWER = """\
1795442407
HTTP/1.0 200 OK
Audit-Id: 5d0b5f3c-0f2f-4a52-9fb8-6f0dd6a5b3a4
Content-Type: application/json
Date: Mon, 23 Nov 2026 14:00:00 GMT

{
  "major": "1",
  "minor": "36",
  "gitVersion": "v1.36.3",
  "platform": "linux/amd64"
}"""


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (ANSWER, Answer(200, "1.36.3", 7)),
        (ANSWER.replace("\n", "\r\n"), Answer(200, "1.36.3", 7)),
        (ANSWER.replace("v1.36.3", "v1.36.3-eks-1"), Answer(200, "1.36.3", 7)),
        (ANSWER.replace('"v1.36.3"', "1"), Answer(200, "", 7)),
        ("1795442400\nHTTP/1.1 401 Unauthorized\nDate: Mon, 23 Nov 2026 14:00:00 GMT\n\n{}", Answer(401, "", 0)),
        ("1795442400\nHTTP/1.1 503 Service Unavailable\n\nno", Answer(503)),
        ("1795442400\nHTTP/1.1 503 Service Unavailable\nDate: today\n\nno", Answer(503)),
        ("1795442400", Answer()),
        ("", Answer()),
    ],
)
def test_answers(text: str, answer: Answer) -> None:
    assert server.read(text.split("\n")) == answer


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(200, "1.36.3", 60), []),
        (Answer(401, "", -60), []),
        (
            Answer(),
            [
                "gpu-07: kubelet.api_server: expected an API server at 10.0.0.1:6443 that answers this host, found no "
                "answer; see that it runs, that the address is right, and that nothing between them filters"
            ],
        ),
        (
            Answer(200, "1.36.3", -3600),
            [
                "gpu-07: clock: expected the API server's time, give or take 60 s, found a clock 3600 s behind it; see "
                "that the host's chrony runs and reaches its servers (`chronyc sources`)"
            ],
        ),
        (
            Answer(200, "1.36.3", 61),
            [
                "gpu-07: clock: expected the API server's time, give or take 60 s, found a clock 61 s ahead of it; see "
                "that the host's chrony runs and reaches its servers (`chronyc sources`)"
            ],
        ),
    ],
)
def test_objections(answer: Answer, expected: list[str]) -> None:
    assert [str(each) for each in objections("gpu-07", "10.0.0.1:6443", answer, 60)] == expected


@pytest.mark.parametrize(
    ("answer", "found"),
    [(Answer(401, "", 0), "an answer without it (HTTP status 401)"), (Answer(), "no answer")],
)
def test_a_version_that_is_not_told(answer: Answer, found: str) -> None:
    assert str(version_unknown("gpu-07", "10.0.0.1:6443", answer)) == (
        "gpu-07: kubelet.api_server_version: expected the version of the API server at 10.0.0.1:6443, which decides "
        f"what kubelet may work beside it, found {found}; set `api_server_version`, to what `kubectl version` says of "
        "the server"
    )


def test_labels() -> None:
    assert of_node(
        ("2330",) * 8, "580.105.08", Place("a1", "", "domain 7"), {"team": "x", "gpufleet.dev/rack": "A"}
    ) == {
        "gpufleet.dev/driver": "580.105.08",
        "gpufleet.dev/driver-branch": "580",
        "gpufleet.dev/gpu-count": "8",
        "gpufleet.dev/gpu-model": "H100-SXM5-80GB",
        "gpufleet.dev/nvlink-domain": "domain-7",
        "gpufleet.dev/rack": "A",
        "team": "x",
    }
    assert of_node((), "", Place(), {}) == {}
    assert of_node(("2330", "26b9"), "", Place(rail="0"), {}) == {
        "gpufleet.dev/gpu-count": "2",
        "gpufleet.dev/gpu-model": "mixed",
        "gpufleet.dev/rail": "0",
    }
    assert of_node(("ffff",), "", Place(), {})["gpufleet.dev/gpu-model"] == "pci-ffff"
