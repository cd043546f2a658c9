"""Kubernetes' own packages of a node: kubelet, kubeadm and kubectl at one version, and what they need beside."""

from __future__ import annotations

from gpufleet.stack.case import Case
from gpufleet.stack.part import Part
from gpufleet.stack.resolution import Package, Service
from gpufleet.stack.rules import WRITTEN, verdict
from gpufleet.stack.skew import bare
from gpufleet.stack.verdicts import Verdict

UNIT = "kubelet.service"
#: Packages of the release's version, and those of versions of their own, of which a minor's repository has the right.
#: Source: pkgs.k8s.io, the repositories of 1.36, and kubernetes/release cmd/krel/templates/latest, 2026-11-23.
VERSIONED = ("kubelet", "kubeadm", "kubectl")
BESIDE = ("cri-tools", "kubernetes-cni")


def kubernetes(case: Case) -> Part:
    """Choose the packages of the wished version; that it fits the API server and containerd is judged with the skew."""
    version = case.wish.kubernetes
    if version is None:
        return Part()
    if not bare(version):
        return Part(verdicts=(_unreadable(version),))
    why = f"Kubernetes {version}, as wished"
    beside = f"what kubelet and kubeadm {version} need, of their own repository"
    packages = [Package("kubernetes", name, "", beside) for name in BESIDE]
    packages += [Package("kubernetes", name, version, why) for name in VERSIONED]
    return Part(
        packages=tuple(packages),
        services=(Service(UNIT, enabled=True, reason="makes the host a node once it has joined"),),
    )


def _unreadable(version: str) -> Verdict:
    return verdict(
        "error",
        WRITTEN,
        where="kubernetes",
        expected="a version such as 1.36.3",
        found=repr(version),
        cure="write it like that",
    )
