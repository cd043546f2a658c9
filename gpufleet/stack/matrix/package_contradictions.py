"""Contradictions among package schemes and companions: two answers to one question, names that cannot be filled in."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from itertools import combinations

from gpufleet.errors import Fault
from gpufleet.stack.matrix.driver_rows import CompanionPackage, Scheme
from gpufleet.stack.matrix.matrix import Matrix

#: What names may contain to be filled in; those of companions the branch alone.
PLACEHOLDERS = {"branch", "version", "kernel", "kernel_flavor"}
_OF_COMPANIONS = {"branch"}


def scheme_cells(matrix: Matrix) -> Iterator[Fault]:
    """No two schemes give packages for one system, origin, branch, flavor, profile and kind of module."""
    for one, other in combinations(matrix.schemes, 2):
        cells = [(row.origin, row.flavor, row.profile, row.modules) for row in (one, other)]
        shared = [system for system in one.systems if system in other.systems]
        if cells[0] == cells[1] and shared and one.branches.overlaps(other.branches):
            problem = f"gives packages for branches {other.branches} on {', '.join(shared)}, as does {one.place}"
            yield Fault(other.place, problem, "let their branches or systems lie apart")


def scheme_flavors(matrix: Matrix) -> Iterator[Fault]:
    """A scheme gives no flavor that a branch it covers has not."""
    for row in matrix.schemes:
        for own in matrix.branches:
            if own.branch in row.branches and row.flavor not in own.flavors:
                problem = f"gives {row.flavor} packages for branch {own.branch}, but {own.place} has no such modules"
                yield Fault(row.place, problem, "end its branches before that one")


def scheme_names(matrix: Matrix) -> Iterator[Fault]:
    """Names have known placeholders only, and what is unversioned is among the packages."""
    for row in matrix.schemes:
        names = (
            *row.packages,
            *row.unwanted,
            row.pinning,
            row.exact_pinning,
            row.stream,
            *row.versionlock,
            row.persistenced,
        )
        for name, placeholder in _unknown_placeholders(names, PLACEHOLDERS):
            cure = f"use one of: {', '.join(sorted(PLACEHOLDERS))}"
            yield Fault(row.place, f"{name} has the unknown placeholder {placeholder}", cure)
        for name in row.unversioned:
            if name not in (*row.packages, row.persistenced):
                yield Fault(row.place, f"says that {name} is unversioned, which it does not install", "add or drop it")
        if (row.modules == "dkms") != bool(row.dkms_modules):
            problem = f"has modules {row.modules} and {len(row.dkms_modules)} names for DKMS"
            yield Fault(row.place, problem, "name the module where DKMS builds it, and only there")


def ranges_ordered(matrix: Matrix) -> Iterator[Fault]:
    """Branch ranges do not end before they begin."""
    rows: tuple[Scheme | CompanionPackage, ...] = (*matrix.schemes, *matrix.companions)
    for row in rows:
        if row.branches.last is not None and row.branches.last < row.branches.first:
            yield Fault(row.place, f"its branches {row.branches} end before they begin", "swap the two")


def companion_names(matrix: Matrix) -> Iterator[Fault]:
    """A companion has one name for a packaging, branch and architecture."""
    for one, other in combinations(matrix.companions, 2):
        same = (one.component, one.packaging) == (other.component, other.packaging)
        shared = set(one.architectures) & set(other.architectures)
        if same and shared and one.branches.overlaps(other.branches):
            problem = f"calls it {other.name}, but {one.place} calls it {one.name}"
            yield Fault(other.place, problem, "let their branches lie apart")
    for row in matrix.companions:
        for name, placeholder in _unknown_placeholders((row.name, *row.extra), _OF_COMPANIONS):
            yield Fault(row.place, f"{name} has the unknown placeholder {placeholder}", "use branch or none")


def repository_systems(matrix: Matrix) -> Iterator[Fault]:
    """Every system that NVIDIA packages a driver for has NVIDIA's repository."""
    known = {row.system for row in matrix.repositories if row.name == "cuda"}
    for repository in matrix.repositories:
        if repository.verified and not repository.fingerprint:
            yield Fault(repository.place, "has no fingerprint, but is marked as verified", "give it or say why not")
    for row in matrix.schemes:
        for system in row.systems:
            if row.origin == "nvidia" and system not in known:
                problem = f"is for {system}, for which there is no repository cuda"
                yield Fault(row.place, problem, "add the repository or drop the system")


def _unknown_placeholders(names: Iterable[str], known: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield each name with what would stay in it: an unknown placeholder, or a brace that is open."""
    for name in names:
        for placeholder in re.findall(r"{([^{}]*)}|[{}]", name):
            if placeholder not in known:
                yield name, placeholder or ("{}" if "{}" in name else "{")


CHECKS = (scheme_cells, scheme_flavors, scheme_names, ranges_ordered, companion_names, repository_systems)
