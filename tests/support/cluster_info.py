"""What a cluster has for hosts that join by a token: its address for everybody, and the token with its rights."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

from tests.support.loopback_api import LoopbackApi

TOKEN = "abcdef.0123456789abcdef"
#: As kubeadm names role and group: cmd/kubeadm/app/constants of 1.36.3.
ROLE, GROUP = "kubeadm:get-nodes", "system:bootstrappers:kubeadm:default-node-token"


def publish(api: LoopbackApi) -> None:
    """Let everybody read where the cluster is, and the token in, which may do nothing yet."""
    identity, _, secret = TOKEN.partition(".")
    data = {"token-id": identity, "token-secret": secret, "auth-extra-groups": GROUP}
    metadata = {"name": f"bootstrap-token-{identity}", "namespace": "kube-system"}
    token = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata,
        "type": "bootstrap.kubernetes.io/token",
        "stringData": {**data, "usage-bootstrap-authentication": "true", "usage-bootstrap-signing": "true"},
    }
    for each in (cluster_info(api), token):
        api.kubectl("create", "--filename=-", data=each)
    of = ["--namespace=kube-public"]
    api.kubectl("create", "role", "info", "--verb=get", "--resource=configmaps", "--resource-name=cluster-info", *of)
    api.kubectl("create", "rolebinding", "info", "--role=info", "--user=system:anonymous", *of)


def let_get_nodes(api: LoopbackApi) -> None:
    """Give hosts that join the right to get nodes, as kubeadm does."""
    api.kubectl("create", "clusterrole", ROLE, "--verb=get", "--resource=nodes")
    api.kubectl("create", "clusterrolebinding", ROLE, f"--clusterrole={ROLE}", f"--group={GROUP}")


def cluster_info(api: LoopbackApi) -> dict[str, Any]:
    """What the controllers of a cluster publish for hosts that join, signed by the token."""
    authority = base64.b64encode(api.authority.pem).decode()
    text = (
        f"apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: {authority}\n    server: {api.url}\n"
        '  name: ""\nkind: Config\n'
    )
    identity, _, secret = TOKEN.partition(".")
    parts = [_base64(json.dumps({"alg": "HS256", "kid": identity}, separators=(",", ":"))), _base64(text)]
    digest = hmac.new(secret.encode(), ".".join(parts).encode(), hashlib.sha256).digest()
    signature = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    data = {"kubeconfig": text, f"jws-kubeconfig-{identity}": f"{parts[0]}..{signature}"}
    metadata = {"name": "cluster-info", "namespace": "kube-public"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def _base64(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
