"""How a host joins a cluster: kubeadm's configuration, and what its failures mean. Pure.

Source: Kubernetes 1.36.3, cmd/kubeadm/app/apis/kubeadm/v1beta4/types.go, and the texts of cmd/kubeadm/app/discovery
(token/token.go, file/file.go) and cmd/kubeadm/app/util/pubkeypin. v1beta4 came with kubeadm 1.31.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

#: The oldest minor version whose kubeadm reads these files.
OLDEST = (1, 31)
_TOKEN = re.compile(r"[a-z0-9]{6}\.[a-z0-9]{16}")
_HASH = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Joining:
    """What is said to kubeadm about a node."""

    node: str
    #: Endpoint of the container runtime, such as `unix:///run/containerd/containerd.sock`.
    runtime: str
    labels: Mapping[str, str]
    #: kubeadm's own checks that are not to stop it, such as `SystemVerification` in a container.
    ignored: Sequence[str] = ()
    #: Seconds for finding the cluster, and for the node's certificate.
    timeout: int = 120


@dataclass(frozen=True)
class Papers:
    """What a host joins with; no text that is made of it shows a secret."""

    #: kubeadm's configuration; it holds the token where there is no kubeconfig.
    configuration: str = field(repr=False)
    #: Bootstrap kubeconfig, if it is by one.
    kubeconfig: str | None = field(default=None, repr=False)


def with_token(joining: Joining, endpoint: str, token: str, hashes: Sequence[str]) -> str:
    """Return the configuration that joins by a token; it holds the token."""
    discovery = {"bootstrapToken": {"apiServerEndpoint": endpoint, "token": token, "caCertHashes": [*hashes]}}
    return _text(joining, discovery)


def with_kubeconfig(joining: Joining, path: str) -> str:
    """Return the configuration that joins by a bootstrap kubeconfig at this path of the host."""
    return _text(joining, {"file": {"kubeConfigPath": path}})


def token(text: str) -> str:
    """Return a token without blanks around it; refuse, without repeating it, what is none."""
    if not _TOKEN.fullmatch(text.strip()):
        cure = "give what `kubeadm token create` printed"
        raise ValueError(
            f"expected a token of six and sixteen letters or digits with a dot between, found none; {cure}"
        )
    return text.strip()


def hashes(text: str) -> tuple[str, ...]:
    """Return the hashes of a cluster's authorities, one or more of them between blanks; refuse what is none."""
    found = tuple(text.split())
    wrong = [part for part in found if not _HASH.fullmatch(part)]
    if wrong or not found:
        cure = "give what `kubeadm token create --print-join-command` prints after --discovery-token-ca-cert-hash"
        raise ValueError(f"expected sha256: and 64 hexadecimal digits, found {', '.join(wrong) or 'nothing'}; {cure}")
    return found


def _text(joining: Joining, discovery: Mapping[str, Any]) -> str:
    labels = ",".join(f"{key}={value}" for key, value in sorted(joining.labels.items()))
    seconds = f"{joining.timeout}s"
    registration = {
        "name": joining.node,
        "criSocket": joining.runtime,
        "taints": [],  # the kubelet's configuration has them
        "kubeletExtraArgs": [{"name": "node-labels", "value": labels}] if labels else [],
        "ignorePreflightErrors": [*joining.ignored],
    }
    document = {
        "apiVersion": "kubeadm.k8s.io/v1beta4",
        "kind": "JoinConfiguration",
        "discovery": discovery,
        "nodeRegistration": {name: value for name, value in registration.items() if value or name == "taints"},
        "timeouts": {"discovery": seconds, "tlsBootstrap": seconds, "kubeletHealthCheck": seconds},
    }
    return yaml.safe_dump(document, sort_keys=False, width=1000)


@dataclass(frozen=True)
class Diagnosis:
    """What a line of kubeadm's means: a text of it, and the sentence in its place."""

    text: str
    expected: str
    found: str
    cure: str


_NEW_TOKEN = "run `kubeadm token create` on a control plane, and give the new token"  # noqa: S105  # a sentence
#: The first that is in what kubeadm printed counts.
DIAGNOSES = (
    Diagnosis(
        "[ERROR CRI]",
        "a container runtime that answers at its socket",
        "none",
        "deploy the role container_runtime first, or name the socket in kubelet.runtime",
    ),
    Diagnosis(
        "already exists in the cluster",
        "a cluster without a node of this name that is ready",
        "one",
        "run `kubectl delete node` for it where it was this host, else set node_name",
    ),
    Diagnosis(
        "could not find a JWS signature in the cluster-info ConfigMap",
        "a token that the cluster knows",
        "one that is wrong, or has expired",
        _NEW_TOKEN,
    ),
    Diagnosis(
        "is invalid for this cluster or it has expired",
        "a token that the cluster knows",
        "one that is wrong, or has expired",
        _NEW_TOKEN,
    ),
    Diagnosis(
        "failed to verify JWS signature of received cluster info object",
        "a token whose second half is the cluster's too",
        "one that the cluster did not sign with",
        _NEW_TOKEN,
    ),
    Diagnosis(
        "none of the public keys",
        "the cluster's certificate authority with the declared hash",
        "an authority with another one",
        "see that api_server is the right cluster's; then take the hash from its ca.crt",
    ),
    Diagnosis(
        "Unauthorized",
        "a token or bootstrap kubeconfig that the API server accepts",
        "one that it refuses",
        "see that it has not expired, and that it may ask for certificates of nodes",
    ),
    Diagnosis(
        "certificate has expired or is not yet valid",
        "a clock that agrees with the cluster's certificates",
        "one by which a certificate is not valid",
        "set the clock of the host, or renew the certificate",
    ),
    Diagnosis(
        "certificate signed by unknown authority",
        "a bootstrap kubeconfig with the cluster's certificate authority",
        "one with another authority",
        "see that it is the right cluster's, and take a new one",
    ),
    Diagnosis(
        "dial tcp: lookup",
        "a name of the API server that the host can resolve",
        "one that it cannot",
        "see that api_server is right, and the host's name servers",
    ),
    Diagnosis(
        "connection refused",
        "an API server that answers",
        "a refused connection",
        "see that it runs, and that api_server is right",
    ),
    *(
        Diagnosis(
            text,
            "an API server that answers in time",
            "no answer",
            "see that the host reaches it, and that api_server is right",
        )
        for text in ("context deadline exceeded", "i/o timeout", "no route to host", "Client.Timeout exceeded")
    ),
)
