"""Which package repositories a host needs for what was chosen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from gpufleet.stack.case import Case
from gpufleet.stack.matrix import software_rows
from gpufleet.stack.matrix.rdma_rows import Ofed
from gpufleet.stack.part import Part
from gpufleet.stack.resolution import Package, RdmaChoice, Repository
from gpufleet.stack.rules import REPOSITORY, verdict
from gpufleet.stack.skew import bare
from gpufleet.stack.verdicts import Verdict
from gpufleet.stack.versions import minor

#: NVIDIA's repository of drivers, CUDA, NCCL and DCGM; the one of network stacks; Docker's, of containerd; the
#: Kubernetes project's, one for each minor version; and NVIDIA's of the container toolkit.
CUDA: Final = "cuda"
DOCA: Final = "doca"
DOCKER: Final = "docker"
KUBERNETES: Final = "kubernetes"
TOOLKIT: Final = "nvidia-container-toolkit"
_VENDORS = {DOCKER: "Docker", KUBERNETES: "Kubernetes"}


def repositories(case: Case, share: Part, stack: RdmaChoice | None) -> tuple[Repository, ...]:
    """Return vendors' repositories that anything comes from; the distribution's own archive needs no row."""
    rows = [(name, _row(case, name)) for name in _wanted(case, share, stack)]
    release = case.matrix.ofed_release(stack.version) if stack else None
    return tuple(_placed(case, row, release if name == DOCA else None) for name, row in rows if row)


def _placed(case: Case, row: software_rows.Repository, release: Ofed | None) -> Repository:
    """Fill in the release, where each has a repository of its own."""
    plain = Repository(
        row.name,
        row.base_url,
        row.path,
        row.key_file,
        row.fingerprint,
        row.source,
        suites=row.suites,
        components=row.components,
        signed=row.signed,
    )
    if row.name == KUBERNETES:
        return replace(plain, path=row.path.replace("{version}", minor(bare(case.wish.kubernetes))))
    packages = case.matrix.rdma_stack(DOCA, case.packaging) if release else None
    if packages is None or release is None:
        return plain
    path, key = row.path.replace("{version}", release.version), release.key_file or row.key_file
    return replace(plain, path=path, key=key, excluded=packages.excluded, pins=packages.pins, prevails=True)


def no_repository(case: Case, share: Part, stack: RdmaChoice | None) -> Iterator[Verdict]:
    """Refuse packages of a vendor's for a system that it has no repository for."""
    for name, wanted in _wanted(case, share, stack).items():
        if _row(case, name) is not None:
            continue
        known = ", ".join(sorted(f"{row.system} {row.arch}" for row in case.matrix.repositories if row.name == name))
        vendor = _VENDORS.get(name, "NVIDIA")
        yield verdict(
            "error",
            REPOSITORY,
            where="system",
            expected=f"a system that {vendor} has a repository for, as {wanted} comes from there: {known}",
            found=f"{case.system.release} {case.system.arch}",
            cure="install one of them, or add the repository's row beside the inventory",
        )


def _row(case: Case, name: str) -> software_rows.Repository | None:
    return case.matrix.repository(name, case.system.release, case.system.arch)


def _wanted(case: Case, share: Part, stack: RdmaChoice | None) -> dict[str, str]:
    """Return the first thing that comes from each vendor's repository, by the repository."""
    first = {
        CUDA: _from_cuda(case, share),
        DOCA: f"DOCA-OFED {stack.version}" if stack and _is_doca(stack) else "",
        DOCKER: _from_docker(case, share),
        KUBERNETES: f"Kubernetes {case.wish.kubernetes}" if case.wish.kubernetes else "",
        TOOLKIT: next((package.name for package in share.packages if package.component == "toolkit"), ""),
    }
    return {name: thing for name, thing in first.items() if thing}


def _is_doca(stack: RdmaChoice) -> bool:
    return stack.provider == DOCA


def _from_docker(case: Case, share: Part) -> str:
    packages = [package.name for package in share.packages if package.component == "containerd"]
    return next(iter(packages), "") if case.wish.containerd_source == "vendor" else ""


def _from_cuda(case: Case, share: Part) -> str:
    if case.has_driver and case.wish.source == "nvidia":
        return f"driver {case.driver.version}"
    packages = [package.name for package in share.packages if not _elsewhere(case, package)]
    return next(iter([*packages, *(item.name for item in share.unpacked)]), "")


def _elsewhere(case: Case, package: Package) -> bool:
    """Tell whether the distribution makes this package, or another repository has it, or, as GDRCopy, the operator."""
    if package.component in ("gdrcopy", "rdma", "containerd", "toolkit", "kubernetes"):
        return True
    release = case.system.release
    if case.wish.source != "distribution":
        return False
    toolkits = {row.distribution.get(release) for row in case.matrix.cuda}
    return package.name in toolkits or package.version in {row.distribution.get(release) for row in case.matrix.nccl}
