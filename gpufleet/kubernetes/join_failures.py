"""What kubeadm's failures mean when a host joins a cluster. Pure.

Source: the texts of Kubernetes 1.36.3 below cmd/kubeadm/app: discovery (token/token.go, file/file.go), util/pubkeypin,
cmd/phases/join/kubelet.go and util/apiclient/wait.go, the last two of 1.31.3, 1.33.5, 1.34.2 and 1.35.8 as well.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Diagnosis:
    """What a line of kubeadm's means: a text of it, and the sentence in its place."""

    text: str
    expected: str
    #: Empty where the kubelet's own last error says it.
    found: str
    cure: str


_NEW_TOKEN = "run `kubeadm token create` on a control plane, and give the new token"  # noqa: S105  # a sentence
#: The first that is in what kubeadm printed counts. At its end it waits for the kubelet alone, so that what it prints
#: there of refused connections and of time that is over is not said of the API server.
DIAGNOSES = (
    Diagnosis(
        "[kubelet-check] The kubelet is not healthy after",
        "a kubelet that starts",
        "",
        "see `journalctl -u kubelet` on the host",
    ),
    *(
        Diagnosis(
            text,
            "a certificate of the cluster for the kubelet, which asked for one",
            "none in time",
            "see `kubectl get csr`; approve the host's request with `kubectl certificate approve`, and deploy again",
        )
        for text in ("failed while waiting for TLS bootstrap", "Unfortunately, an error has occurred")
    ),
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
        'cannot get resource "nodes"',
        "a token or bootstrap kubeconfig that may get nodes",
        "one that may not",
        "bind its group to the ClusterRole kubeadm:get-nodes, as `kubeadm init phase bootstrap-token` does",
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
