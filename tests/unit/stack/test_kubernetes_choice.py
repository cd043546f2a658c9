"""Kubernetes' packages: one version of three, the repository of the minor, and what is refused before."""

from __future__ import annotations

from typing import Any

import pytest

from gpufleet.stack.machine import System
from gpufleet.stack.resolve import resolve
from gpufleet.stack.wish import Wish
from tests.unit.stack.wishes import EL_9, HGX, MATRIX, UBUNTU

VERSION = "1.36.3"
FINGERPRINT = "DE15B14486CD377B9E876E1A234654DA9A296436"


def wish(**changes: Any) -> Wish:
    return Wish.model_validate({"kubernetes": VERSION, "kubelet": VERSION, **changes})


@pytest.mark.parametrize(
    ("system", "url", "key"),
    [
        (UBUNTU, "https://pkgs.k8s.io/core:/stable:/v1.36/deb/", "Release.key"),
        (EL_9, "https://pkgs.k8s.io/core:/stable:/v1.36/rpm/", "repodata/repomd.xml.key"),
    ],
)
def test_packages(system: System, url: str, key: str) -> None:
    found = resolve(HGX, system, wish(), MATRIX)
    assert [(package.name, package.version) for package in found.of("kubernetes")] == [
        ("cri-tools", ""),
        ("kubernetes-cni", ""),
        ("kubelet", VERSION),
        ("kubeadm", VERSION),
        ("kubectl", VERSION),
    ]
    (repository,) = found.repositories
    assert (repository.url, repository.key_place, repository.fingerprint) == (url, f"{url}{key}", FINGERPRINT)
    assert [service.unit for service in found.services] == ["kubelet.service"]


def test_a_kubelet_of_other_tools_brings_nothing() -> None:
    found = resolve(HGX, UBUNTU, Wish(kubelet=VERSION), MATRIX)
    assert (found.packages, found.repositories) == ((), ())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"kube_apiserver": "1.35.4"},
            "error: kubelet: expected a kubelet no newer than the API server's 1.35.4, found kubelet 1.36.3; upgrade "
            "the control plane first",
        ),
        (
            {"kubelet": "1.32.4", "kubernetes": "1.32.4", "kube_apiserver": "1.36.3"},
            "error: kubelet: expected kubelet 1.33 or newer for API server 1.36.3, found kubelet 1.32.4; upgrade the "
            "kubelet, one minor version after the other",
        ),
        (
            {"containerd": "1.7.24"},
            "error: containerd: expected containerd 2.2.0 or newer for kubelet 1.36.3, found containerd 1.7.24; choose "
            "a newer containerd",
        ),
    ],
)
def test_refused(changes: dict[str, Any], message: str) -> None:
    found = resolve(HGX, UBUNTU, wish(**changes), MATRIX)
    assert [str(error).partition(" (row ")[0] for error in found.errors] == [message]
    assert found.packages == ()


def test_a_wish_that_is_no_version() -> None:
    found = resolve(HGX, UBUNTU, Wish(kubernetes="newest"), MATRIX)
    assert [str(error).partition(" (row ")[0] for error in found.errors] == [
        "error: kubernetes: expected a version such as 1.36.3, found 'newest'; write it like that"
    ]


def test_another_system() -> None:
    found = resolve(HGX, System("debian", "11"), wish(), MATRIX)
    (error,) = found.errors
    assert error.expected.startswith("a system that Kubernetes has a repository for, as Kubernetes 1.36.3 comes from ")
    assert error.found == "debian-11 x86_64"
