"""Which package repositories a host needs for what was chosen."""

from __future__ import annotations

from collections.abc import Iterator

from gpufleet.stack.case import Case
from gpufleet.stack.part import Part
from gpufleet.stack.resolution import Package, Repository
from gpufleet.stack.rules import REPOSITORY, verdict
from gpufleet.stack.verdicts import Verdict

#: NVIDIA's repository of drivers, CUDA, NCCL and DCGM.
CUDA = "cuda"


def repositories(case: Case, share: Part) -> tuple[Repository, ...]:
    """Return NVIDIA's repository where anything comes from it; the distribution's own archive needs no row."""
    row = case.matrix.repository(CUDA, case.system.release, case.system.arch)
    if row is None or not _wanted(case, share):
        return ()
    return (Repository(row.name, row.base_url, row.path, row.key_file, row.fingerprint, row.source),)


def no_repository(case: Case, share: Part) -> Iterator[Verdict]:
    """Refuse packages of NVIDIA's for a system that it has no repository for."""
    wanted = _wanted(case, share)
    if wanted and case.matrix.repository(CUDA, case.system.release, case.system.arch) is None:
        known = ", ".join(sorted(f"{row.system} {row.arch}" for row in case.matrix.repositories if row.name == CUDA))
        yield verdict(
            "error",
            REPOSITORY,
            where="system",
            expected=f"a system that NVIDIA has a repository for, as {wanted} comes from there: {known}",
            found=f"{case.system.release} {case.system.arch}",
            cure="install one of them, or add the repository's row beside the inventory",
        )


def _wanted(case: Case, share: Part) -> str:
    """Return the first thing that comes from NVIDIA's repository; empty where nothing does."""
    if case.has_driver and case.wish.source == "nvidia":
        return f"driver {case.driver.version}"
    packages = [package.name for package in share.packages if not _elsewhere(case, package)]
    return next(iter([*packages, *(item.name for item in share.unpacked)]), "")


def _elsewhere(case: Case, package: Package) -> bool:
    """Tell whether the distribution makes this package, or, as with GDRCopy, only the operator."""
    if package.component == "gdrcopy":
        return True
    release = case.system.release
    if case.wish.source != "distribution":
        return False
    toolkits = {row.distribution.get(release) for row in case.matrix.cuda}
    return package.name in toolkits or package.version in {row.distribution.get(release) for row in case.matrix.nccl}
