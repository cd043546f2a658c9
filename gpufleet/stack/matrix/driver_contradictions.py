"""Contradictions among branches, releases, generations, PCI ids and kernels."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from gpufleet.errors import Fault
from gpufleet.stack.matrix.matrix import Matrix
from gpufleet.stack.matrix.rows import GENERATIONS
from gpufleet.stack.versions import branch, numbers


def branch_lives(matrix: Matrix) -> Iterator[Fault]:
    """A branch's support ends after its first release."""
    for row in matrix.branches:
        if row.end_of_life and row.end_of_life < row.first_release:
            problem = f"ends on {row.end_of_life}, before its first release on {row.first_release}"
            yield Fault(row.place, problem, "correct one of the two dates")


def release_branches(matrix: Matrix) -> Iterator[Fault]:
    """A release belongs to the branch that its version begins with, and that branch has a row."""
    for row in matrix.releases:
        own = matrix.branch(row.branch)
        if branch(row.version) != row.branch:
            yield Fault(row.place, f"stands under branch {row.branch}", f"its branch is {branch(row.version)}")
        elif own is None:
            yield Fault(row.place, f"belongs to branch {row.branch}, which has no row", "add the branch")
        elif row.released and row.released < own.first_release:
            problem = f"is of {row.released}, before the first release in {own.place} on {own.first_release}"
            yield Fault(row.place, problem, "correct one of the two dates")


def release_order(matrix: Matrix) -> Iterator[Fault]:
    """Within a branch a newer version is not of an earlier day."""
    for own in matrix.branches:
        dated = [row for row in matrix.releases_of(own.branch) if row.released]
        for before, after in pairwise(dated):
            if before.released and after.released and after.released < before.released:
                problem = f"is of {after.released}, before {before.place} of {before.released}"
                yield Fault(after.place, problem, "correct one of the two dates")


def generation_lives(matrix: Matrix) -> Iterator[Fault]:
    """A generation's first branch is not after its last, and both have open modules only if it can run them."""
    for row in matrix.generations:
        if row.last_branch is not None and row.first_branch > row.last_branch:
            problem = f"begins with branch {row.first_branch}, after its last branch {row.last_branch}"
            yield Fault(row.place, problem, "correct one of the two")
        if (row.open_modules == "impossible") != (row.open_from is None):
            problem = f"has open_modules {row.open_modules} and open_from {row.open_from}"
            yield Fault(row.place, problem, "give open_from where the open modules drive it, and only there")
        if row.open_default_from and (not row.open_from or row.open_default_from < row.open_from):
            problem = f"has open modules by default from {row.open_default_from}, but at all from {row.open_from}"
            yield Fault(row.place, problem, "correct one of the two")


def generations_known(matrix: Matrix) -> Iterator[Fault]:
    """Every generation that PCI ids are of has a row."""
    rows = {row.generation for row in matrix.generations}
    for name in GENERATIONS:
        used = next((row for row in matrix.gpu_ranges if row.generation == name), None)
        if used and name not in rows:
            yield Fault(used.place, f"is of the generation {name}, which has no row", "add the generation")


def ranges_apart(matrix: Matrix) -> Iterator[Fault]:
    """Ranges of PCI ids are ordered and lie apart."""
    ordered = sorted(matrix.gpu_ranges, key=lambda row: row.first)
    for row in ordered:
        if row.last < row.first:
            yield Fault(row.place, f"ends at {row.last:04x}, before it begins", "swap first and last")
    for before, after in pairwise(ordered):
        if after.first <= before.last:
            problem = f"overlaps {before.place}, which ends at {before.last:04x}"
            yield Fault(after.place, problem, "let the two lie apart")


def products_in_ranges(matrix: Matrix) -> Iterator[Fault]:
    """Each product lies in a range of its own generation."""
    for row in matrix.gpu_products:
        home = next((one for one in matrix.gpu_ranges if row.id in one), None)
        if home is None:
            yield Fault(row.place, f"{row.name} lies in no range", "add the range that holds it")
        elif home.generation != row.generation:
            problem = f"{row.name} is of {row.generation}, but {home.place} is of {home.generation}"
            yield Fault(row.place, problem, "correct one of the two")


def kernel_ranges(matrix: Matrix) -> Iterator[Fault]:
    """The newest kernel of a row is not older than its oldest, and its release is of its branches."""
    for row in matrix.kernels:
        if row.newest and numbers(row.newest) < numbers(row.oldest):
            yield Fault(row.place, f"ends with kernel {row.newest}, before its oldest {row.oldest}", "swap the two")
        if row.branches.last is not None and row.branches.last < row.branches.first:
            yield Fault(row.place, f"its branches {row.branches} end before they begin", "swap the two")
        if row.from_release and branch(row.from_release) not in row.branches:
            problem = f"begins with release {row.from_release}, outside its branches {row.branches}"
            yield Fault(row.place, problem, "correct one of the two")


CHECKS = (
    branch_lives, release_branches, release_order, generation_lives, generations_known, ranges_apart,
    products_in_ranges, kernel_ranges,
)  # fmt: skip
