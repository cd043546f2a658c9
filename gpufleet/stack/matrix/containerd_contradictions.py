"""Contradictions among the rows of containerd: releases without a series or a repository, packages without names."""

from __future__ import annotations

from collections.abc import Iterator

from gpufleet.errors import Fault
from gpufleet.stack.matrix.containerd_rows import ContainerdPackages
from gpufleet.stack.matrix.matrix import Matrix


def containerd_series_of_releases(matrix: Matrix) -> Iterator[Fault]:
    """A release belongs to a series that has a row, which says the schema of its configuration."""
    for row in matrix.containerd_releases:
        if matrix.containerd_series(row.version) is None:
            yield Fault(row.place, "is of a series that has no row", "add the series")


def containerd_repositories(matrix: Matrix) -> Iterator[Fault]:
    """What the vendor packages for a system comes from a repository that has a row."""
    known = {row.system for row in matrix.repositories if row.name == "docker"}
    for row in matrix.containerd_releases:
        missing = [system for system in row.systems if row.origin == "vendor" and system not in known]
        if missing:
            problem = f"is for {', '.join(missing)}, for which there is no repository docker"
            yield Fault(row.place, problem, "add the repository or drop the system")


def containerd_versioned(matrix: Matrix) -> Iterator[Fault]:
    """The package that carries a release's version is among those that are installed."""
    for row in matrix.containerd_packages:
        if row.versioned not in row.packages:
            problem = f"says that {row.versioned} is versioned, which it does not install"
            yield Fault(row.place, problem, "add or drop it")


def containerd_systems(matrix: Matrix) -> Iterator[Fault]:
    """Of one origin and format, one row alone names a system: nobody could say which of two counts."""
    seen: dict[tuple[str, str, str], ContainerdPackages] = {}
    for row in matrix.containerd_packages:
        for system in row.systems:
            earlier = seen.setdefault((row.origin, row.packaging, system), row)
            if earlier is not row:
                yield Fault(row.place, f"is for {system}, as {earlier.place} is", "drop the system from one of the two")


CHECKS = (containerd_series_of_releases, containerd_repositories, containerd_versioned, containerd_systems)
