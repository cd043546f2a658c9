"""Which package repositories a host needs for what was chosen."""

from __future__ import annotations

from gpufleet.stack.case import Case
from gpufleet.stack.part import Part
from gpufleet.stack.resolution import DriverChoice, Package, Repository

#: NVIDIA's repository of drivers, CUDA, NCCL and DCGM.
CUDA = "cuda"


def repositories(case: Case, driver: DriverChoice | None, share: Part) -> tuple[Repository, ...]:
    """Return NVIDIA's repository where anything comes from it; the distribution's own archive needs no row."""
    from_nvidia = [package for package in share.packages if not _own(case, package)]
    if not (driver and driver.source == "nvidia") and not from_nvidia and not share.unpacked:
        return ()
    row = case.matrix.repository(CUDA, case.system.release, case.system.arch)
    if row is None:
        return ()
    return (Repository(row.name, row.base_url, row.path, row.key_file, row.fingerprint, row.source),)


def _own(case: Case, package: Package) -> bool:
    """Tell whether the distribution makes this package."""
    release = case.system.release
    if case.wish.source != "distribution":
        return False
    toolkits = {row.distribution.get(release) for row in case.matrix.cuda}
    return package.name in toolkits or package.version in {row.distribution.get(release) for row in case.matrix.nccl}
