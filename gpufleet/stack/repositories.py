"""Which package repositories a host needs for what was chosen."""

from __future__ import annotations

from collections.abc import Iterable

from gpufleet.stack.case import Case
from gpufleet.stack.resolution import DriverChoice, Package, Repository

#: NVIDIA's repository of drivers, CUDA, NCCL and DCGM.
CUDA = "cuda"


def repositories(case: Case, driver: DriverChoice | None, packages: Iterable[Package]) -> tuple[Repository, ...]:
    """Return NVIDIA's repository where anything comes from it; the distribution's own archive needs no row."""
    if not (driver and driver.source == "nvidia") and not any(True for _ in packages):
        return ()
    row = case.matrix.repository(CUDA, case.system.release, case.system.arch)
    if row is None:
        return ()
    return (Repository(row.name, row.base_url, row.path, row.key_file, row.fingerprint, row.source),)
