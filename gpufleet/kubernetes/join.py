"""How a host joins a cluster: kubeadm's configuration, and the secrets that it takes. Pure.

Source: Kubernetes 1.36.3, cmd/kubeadm/app/apis/kubeadm/v1beta4/types.go. v1beta4 came with kubeadm 1.31.
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
    """Return the hashes of a cluster's authorities, one or more of them between blanks.

    What is none is refused without repeating it: in the whole join command it would be the token.
    """
    found = tuple(text.split())
    wrong = sum(not _HASH.fullmatch(part) for part in found)
    if wrong or not found:
        cure = "give what `kubeadm token create --print-join-command` prints after --discovery-token-ca-cert-hash"
        said = f"{wrong} word{'s' * (wrong != 1)} of another kind" if wrong else "nothing"
        raise ValueError(f"expected sha256: and 64 hexadecimal digits, found {said}; {cure}")
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
