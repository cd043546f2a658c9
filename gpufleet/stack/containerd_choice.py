"""containerd: whose packages, and which release of them suits the kubelet."""

from __future__ import annotations

from gpufleet.stack.case import Case
from gpufleet.stack.matrix.containerd_rows import ContainerdPackages, ContainerdRelease
from gpufleet.stack.part import Part
from gpufleet.stack.resolution import Package, Service
from gpufleet.stack.rules import CONTAINERD, WRITTEN, verdict
from gpufleet.stack.verdicts import Verdict
from gpufleet.stack.versions import minor, numbers

AUTO = "auto"
UNIT = "containerd.service"


def containerd(case: Case) -> Part:
    """Choose containerd's packages, its unit, and the packages of the other origin that must go."""
    origin, version = case.wish.containerd_source, wished_version(case)
    if origin is None:
        return Part(verdicts=(_nobody_chooses(),) if case.wish.containerd == AUTO else ())
    row = case.matrix.containerd_package_names(origin, case.packaging, case.system.release)
    releases = _releases(case)
    if row is None or not releases:
        return Part(verdicts=(_none_here(case),))
    if not version:
        return Part(verdicts=(_none_for_kubelet(case, releases),))
    release = case.matrix.containerd_release(origin, version)
    if origin == "distribution" and release not in releases:
        return Part(verdicts=(_not_the_distributions(case, releases, version),))
    return _installed(row, release, version, _why(case))


def wished_version(case: Case) -> str:
    """Return the wished release, or what `auto` means here; empty where there is none."""
    wished = case.wish.containerd
    if wished is not None and wished != AUTO:
        return wished
    suitable = [row.version for row in _releases(case) if _is_for_kubelet(case, row.version)]
    return max(suitable, key=numbers, default="")


def _releases(case: Case) -> list[ContainerdRelease]:
    """Return what is packaged by the wished origin for this system, oldest first."""
    origin, system = case.wish.containerd_source, case.system.release
    found = [row for row in case.matrix.containerd_releases if row.origin == origin and system in row.systems]
    return sorted(found, key=lambda row: numbers(row.version))


def _is_for_kubelet(case: Case, version: str) -> bool:
    """Tell whether the projects support it with the kubelet; what is unreadable or unknown is judged elsewhere."""
    try:
        kubernetes = case.matrix.kubernetes_minor((case.wish.kubelet or "").removeprefix("v"))
    except ValueError:
        return True
    if case.wish.containerd_source == "distribution" or kubernetes is None:
        return True
    oldest = kubernetes.containerd_of(minor(version))
    return oldest is not None and numbers(version) >= numbers(oldest)


def _installed(row: ContainerdPackages, release: ContainerdRelease | None, version: str, why: str) -> Part:
    exact = (release.package if release else "") or version
    packages = [Package("containerd", name, exact if name == row.versioned else "", why) for name in row.packages]
    return Part(
        packages=tuple(packages),
        services=(Service(UNIT, enabled=True, reason="runs the pods that the kubelet asks for"),),
        unwanted=row.unwanted,
    )


def _why(case: Case) -> str:
    whose = "Docker's repository" if case.wish.containerd_source == "vendor" else "the distribution's own package"
    if case.wish.containerd not in (AUTO, None):
        return f"{whose}, as wished"
    kubelet = f" that kubelet {case.wish.kubelet} may run with" if case.wish.kubelet else ""
    return f"the newest release{kubelet}, {whose}"


def _none_here(case: Case) -> Verdict:
    rows = case.matrix.containerd_releases
    systems = sorted({name for row in rows if row.origin == case.wish.containerd_source for name in row.systems})
    return verdict(
        "error",
        CONTAINERD,
        where="containerd_source",
        expected=f"a system whose packages of this source are known: {', '.join(systems) or 'none'}",
        found=f"{case.wish.containerd_source} on {case.system.release}",
        cure="choose the other source, or add rows of your own beside the inventory",
    )


def _none_for_kubelet(case: Case, releases: list[ContainerdRelease]) -> Verdict:
    return verdict(
        "error",
        CONTAINERD,
        where="containerd",
        expected=f"a release for kubelet {case.wish.kubelet}",
        found=f"{', '.join(row.version for row in releases)} for {case.system.release}",
        cure="choose another kubelet, or name the version where you know of one",
    )


def _not_the_distributions(case: Case, releases: list[ContainerdRelease], version: str) -> Verdict:
    return verdict(
        "error",
        releases[-1],
        where="containerd",
        expected=f"the containerd of {case.system.release}: {', '.join(row.version for row in releases)}",
        found=version,
        cure="set version to auto, take the vendor's packages, or add a row of your own beside the inventory",
    )


def _nobody_chooses() -> Verdict:
    return verdict(
        "error",
        WRITTEN,
        where="containerd",
        expected="a version such as 2.2.6, as no role installs containerd here",
        found="'auto'",
        cure="write the version that is there, or give the host the key container_runtime",
    )
