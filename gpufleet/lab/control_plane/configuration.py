"""What kubeadm is told of the lab's control plane."""

from __future__ import annotations

import yaml

#: Port of the API server.
PORT = 6443
#: Name of the control plane's node, which never registers: no kubelet runs beside the control plane.
NODE = "control"
_API = "kubeadm.k8s.io/v1beta4"


def text(address: str, version: str) -> str:
    """Return kubeadm's configuration for a control plane at an address."""
    documents = [
        {
            "apiVersion": _API,
            "kind": "InitConfiguration",
            "localAPIEndpoint": {"advertiseAddress": address, "bindPort": PORT},
            "nodeRegistration": {"name": NODE, "criSocket": "unix:///run/containerd/containerd.sock"},
        },
        {
            "apiVersion": _API,
            "kind": "ClusterConfiguration",
            "kubernetesVersion": f"v{version}",
            "controlPlaneEndpoint": f"{address}:{PORT}",
            "apiServer": {"certSANs": [NODE, "localhost", "127.0.0.1"]},
            # The lab's data may be lost: a slow disk shall not make the control plane slow.
            "etcd": {"local": {"extraArgs": [{"name": "unsafe-no-fsync", "value": "true"}]}},
        },
        {"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration", "cgroupDriver": "systemd"},
    ]
    return yaml.safe_dump_all(documents, sort_keys=False)
