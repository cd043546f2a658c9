"""Container runtime, container toolkit, kubelet and API server: which releases the projects support together."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gpufleet.stack.case import Case
from gpufleet.stack.container_toolkit_choice import wished_toolkit
from gpufleet.stack.containerd_choice import AUTO, wished_version
from gpufleet.stack.matrix.containerd_rows import Containerd
from gpufleet.stack.matrix.software_rows import Kubernetes
from gpufleet.stack.rules import KUBELET, WRITTEN, verdict
from gpufleet.stack.verdicts import Verdict
from gpufleet.stack.versions import numbers

_VERSION = re.compile(r"v?(?P<bare>[0-9]{1,3}\.[0-9]{1,3}(\.[0-9]{1,3})?)(?P<rest>[-+~].*)?")
_FIELDS = ("toolkit", "containerd", "kubelet", "kube_apiserver")
#: Those of which `auto` means a release.
_CHOSEN = ("toolkit", "containerd")


def bare(text: str | None) -> str:
    """Return the numbers of `v1.34.2`, `1.34.2-1.1` or `1.7.27`; empty for anything else."""
    match = _VERSION.fullmatch(text or "")
    return match["bare"] if match else ""


def skew(case: Case) -> Iterator[Verdict]:
    """Hold the versions against each other."""
    yield from _unreadable(case)
    yield from _containerd_for_kubelet(case)
    yield from _server(case)
    yield from _kubelet_for_server(case)
    yield from _toolkit(case)


def _unreadable(case: Case) -> Iterator[Verdict]:
    for name in _FIELDS:
        text = getattr(case.wish, name)
        if text is not None and not bare(text) and (text != AUTO or name not in _CHOSEN):
            cure = "write it like that"
            yield verdict(
                "error", WRITTEN, where=name, expected="a version such as 1.34.2", found=repr(text), cure=cure
            )


def _containerd_for_kubelet(case: Case) -> Iterator[Verdict]:
    containerd, kubelet = bare(wished_version(case)), bare(case.wish.kubelet)
    series = case.matrix.containerd_series(containerd) if containerd else None
    kubernetes = case.matrix.kubernetes_minor(kubelet) if kubelet else None
    if containerd and series is None:
        known = ", ".join(row.series for row in case.matrix.containerd)
        yield _unknown("containerd", f"a series that the matrix knows: {known}", containerd)
    if kubelet and kubernetes is None:
        known = ", ".join(row.version for row in case.matrix.kubernetes)
        yield _unknown("kubelet", f"a minor version that the matrix knows: {known}", kubelet)
    if series is not None and kubernetes is not None:
        yield from _pair(containerd, series, kubelet, kubernetes)


def _pair(containerd: str, series: Containerd, kubelet: str, kubernetes: Kubernetes) -> Iterator[Verdict]:
    oldest = kubernetes.containerd_of(series.series) or kubernetes.minimum_containerd
    if numbers(containerd) < numbers(oldest)[: len(numbers(containerd))]:
        expected = f"containerd {oldest} or newer for kubelet {kubelet}"
        found, cure = f"containerd {containerd}", "choose a newer containerd"
        yield verdict("error", kubernetes, where="containerd", expected=expected, found=found, cure=cure)
    elif kubernetes.version not in series.kubernetes:
        expected = f"Kubernetes {', '.join(series.kubernetes)} beside containerd {series.series}"
        found, cure = f"kubelet {kubelet}", "choose a containerd of another series, or another kubelet"
        yield verdict("error", series, where="containerd", expected=expected, found=found, cure=cure)


def _server(case: Case) -> Iterator[Verdict]:
    server = bare(case.wish.kube_apiserver)
    if server and case.matrix.kubernetes_minor(server) is None:
        known = ", ".join(row.version for row in case.matrix.kubernetes)
        yield _unknown("kube_apiserver", f"a minor version that the matrix knows: {known}", server)


def _kubelet_for_server(case: Case) -> Iterator[Verdict]:
    kubelet, server = bare(case.wish.kubelet), bare(case.wish.kube_apiserver)
    if not kubelet or not server:
        return
    row = case.matrix.kubernetes_minor(server)
    if numbers(kubelet)[:2] > numbers(server)[:2]:
        yield verdict(
            "error",
            row or KUBELET,
            where="kubelet",
            expected=f"a kubelet no newer than the API server's {server}",
            found=f"kubelet {kubelet}",
            cure="upgrade the control plane first",
        )
    elif row and numbers(kubelet)[:2] < numbers(row.oldest_kubelet):
        yield verdict(
            "error",
            row,
            where="kubelet",
            expected=f"kubelet {row.oldest_kubelet} or newer for API server {server}",
            found=f"kubelet {kubelet}",
            cure="upgrade the kubelet, one minor version after the other",
        )


def _toolkit(case: Case) -> Iterator[Verdict]:
    toolkit, containerd = bare(wished_toolkit(case)), bare(wished_version(case))
    row = case.matrix.toolkit_release(toolkit) if toolkit else None
    if toolkit and row is None:
        known = ", ".join(row.version for row in case.matrix.toolkit)
        yield _unknown("toolkit", f"a release that the matrix knows: {known}", toolkit)
    if row is not None and 0 < case.branch < row.minimum_branch:
        expected = f"driver branch {row.minimum_branch} or newer for container toolkit {toolkit}"
        found, cure = f"branch {case.branch}", "choose a newer driver or an older container toolkit"
        yield verdict("error", row, where="toolkit", expected=expected, found=found, cure=cure)
    if row is not None and containerd and numbers(containerd)[:2] < numbers(row.minimum_containerd):
        expected = f"containerd {row.minimum_containerd} or newer for container toolkit {toolkit}"
        found, cure = f"containerd {containerd}", "choose a newer containerd or an older container toolkit"
        yield verdict("error", row, where="toolkit", expected=expected, found=found, cure=cure)


def _unknown(where: str, expected: str, found: str) -> Verdict:
    cure = "see that the projects support it, or add a row of your own beside the inventory"
    return verdict("note", WRITTEN, where=where, expected=expected, found=found, cure=cure)
