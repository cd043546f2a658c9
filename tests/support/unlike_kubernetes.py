"""A repository of Kubernetes whose kubeadm is of another release than its kubelet; the packages have no programs."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gpufleet.lab import archive, vendors
from gpufleet.lab.control_plane import packages
from gpufleet.lab.inventory import kubernetes_repository
from gpufleet.lab.vendors import tree
from gpufleet.lab.vendors.package import Package
from tests.support.lab_nodes import Nodes

#: Folder of the lab's archive; the names of its own begin otherwise.
NAME = "unlike-kubernetes"
KUBELET, KUBEADM = "1.36.2", "1.36.1"
MINOR = "1.36"


@contextmanager
def declared_for(nodes: Nodes, host: str) -> Iterator[list[str]]:
    """Declare it for a host, and take that back; yields what is said of the host."""
    before = copy.deepcopy(nodes.options[host])
    nodes.repositories(host, kubernetes=serve())
    nodes.declare(host, state="present", version=KUBELET)
    yield [
        f"{host}: kubelet.version: expected kubeadm={KUBELET} in the repository of that minor, found only kubeadm "
        f"{KUBEADM}-1.1; name a version that it has of kubelet, kubeadm and kubectl alike, or a repository that has "
        "this one"
    ]
    nodes.repositories(host, kubernetes=kubernetes_repository())
    nodes.declare(host, **before)


def serve() -> dict[str, str]:
    """Have the archives of all labs serve it, and return what to declare of the repository."""
    content = tree.digest(Path(vendors.__file__).parent, KUBELET, KUBEADM, vendors.fingerprint())
    tree.publish(NAME, content, _fill)
    return {"base_url": f"http://archive:{archive.PORT}/{NAME}/", "key_fingerprint": vendors.fingerprint()}


def _fill(folder: Path) -> None:
    packages.write(folder, MINOR, _packages())


def _packages() -> Iterator[Package]:
    for version in (KUBELET, KUBEADM):
        for package in packages.of_release(version, "none", "/none"):
            if (package.name == "kubeadm") == (version == KUBEADM):
                yield package
