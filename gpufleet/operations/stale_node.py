"""Whether the cluster has a node of the name that a host is to join by, asked with what the host joins with.

A kubelet sets its taints on a node that it makes, and on no other, and kubeadm stops for one that is ready alone. Whom
kubeadm lets join may get nodes; it asks for the node itself, and stops where it may not. Source: Kubernetes 1.36.3,
tryRegisterWithAPIServer of pkg/kubelet/kubelet_node_status.go, and below cmd/kubeadm/app
phases/bootstraptoken/node/tlsbootstrap.go and cmd/phases/join/kubelet.go.
"""

from __future__ import annotations

import json
import shlex

from gpufleet.errors import HostError
from gpufleet.kubernetes.names import Taint

#: Seconds for each request, and for kubectl with all of its own.
TIMEOUT, ALTOGETHER = 10, 30

#: The token is shown to a server alone that one of the declared authorities signed for; the cluster names its
#: authorities to everybody, who need not be true.
_ACCESS = (
    "printf 'GET /api/v1/namespaces/kube-public/configmaps/cluster-info HTTP/1.0\\r\\nHost: %s\\r\\n\\r\\n' {name} | "
    "timeout {timeout} openssl s_client -quiet -connect {endpoint} 2>/dev/null | "
    "sed -n 's/.*certificate-authority-data: *\\([A-Za-z0-9+/=]*\\).*/\\1/p' | base64 -d 2>/dev/null | "
    "awk -v d=$d '/BEGIN CERTIFICATE/ {{ n++ }} n {{ print >(d \"/authority\" n) }}'; "
    "for c in $d/authority*; do "
    "h=$(openssl x509 -noout -pubkey -in $c 2>/dev/null | openssl pkey -pubin -outform DER 2>/dev/null | sha256sum); "
    'if grep -qF "sha256:${{h%% *}}" $d/join.yaml; then cat $c >>$d/trusted; fi; done; '
    'sed -n "s/^ *token: \'*\\([a-z0-9.]*\\).*/\\1/p" $d/join.yaml >$d/token; printf %s {access} >{config}; '
)
_ASK = (
    "timeout {altogether} kubectl --kubeconfig={config} --cache-dir=$d/cache --request-timeout={timeout}s "
    "get node {node} --ignore-not-found -o {template} >$d/node 2>$d/why || "
    "printf '%s: %s\\n' {unknown} \"$(tail -n 1 $d/why)\" >&2; "
    "case \" $(cat $d/node) \" in '  '|*' {key} '*) ;; *) printf '%s\\n' {refused} >&2; exit 1;; esac; "
)


def question(where: str, node: str, taint: Taint, endpoint: str, folder: str, kubeconfig: str = "") -> str:
    """Return shell that ends with a sentence where the node is there without the taint.

    Where the answer is not to be had, it says so and goes on.

    + where: the host
    + node: name of the node
    + taint: what the node is to have; its key alone counts
    + endpoint: host and port of the API server
    + folder: where kubeadm's configuration lies, which is `$d` of the shell
    + kubeconfig: bootstrap kubeconfig there; none joins by the token of kubeadm's configuration
    """
    config, template = kubeconfig or f"{folder}/access.conf", "node{{range .spec.taints}} {{.key}}{{end}}"
    ask = _ASK.format(
        config=config,
        timeout=TIMEOUT,
        altogether=ALTOGETHER,
        node=shlex.quote(node),
        template=shlex.quote(f"go-template={template}"),
        unknown=shlex.quote(f"{where}: whether the cluster at {endpoint} has a node {node} is not known"),
        key=taint.key,
        refused=shlex.quote(str(_refusal(where, node, taint, endpoint))),
    )
    if kubeconfig:
        return ask
    access = shlex.quote(json.dumps(_access(endpoint, folder)))
    name, place = shlex.quote(endpoint.rpartition(":")[0]), shlex.quote(endpoint)
    return _ACCESS.format(name=name, timeout=TIMEOUT, endpoint=place, access=access, config=config) + ask


def _refusal(where: str, node: str, taint: Taint, endpoint: str) -> HostError:
    return HostError(
        f"{where}: cluster at {endpoint}",
        expected=f"no node {node} before the host joins, or one with the taint {taint.key}",
        found="one without it, where pods would start before the host is verified: a kubelet taints only a node that "
        "it makes",
        cure=f"run `kubectl delete node {node}`, or `kubectl taint node {node} {taint}`, and deploy again",
    )


def _access(endpoint: str, folder: str) -> dict[str, object]:
    """Return a kubeconfig that names files beside it."""
    cluster = {"server": f"https://{endpoint}", "certificate-authority": f"{folder}/trusted"}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "cluster", "cluster": cluster}],
        "users": [{"name": "token", "user": {"tokenFile": f"{folder}/token"}}],
        "contexts": [{"name": "join", "context": {"cluster": "cluster", "user": "token"}}],
        "current-context": "join",
    }
