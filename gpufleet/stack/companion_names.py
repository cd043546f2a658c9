"""What the driver's companions are called on one system and branch, and what they were called on others."""

from __future__ import annotations

from collections.abc import Iterator

from gpufleet.stack.case import Case
from gpufleet.stack.matrix.driver_rows import Companion, CompanionPackage


def companion_row(case: Case, component: Companion) -> CompanionPackage | None:
    """Return the row that names a companion for the branch of a case."""
    return case.matrix.companion(component, case.packaging, case.branch, case.arch)


def filled(row: CompanionPackage, branch: int) -> str:
    """Return the package's name for a branch."""
    return row.name.replace("{branch}", str(branch))


def stale_names(case: Case) -> Iterator[str]:
    """Return the names that companions have on the other branches: left behind, they hold an old version in place."""
    rows = [row for row in case.matrix.companions if row.packaging == case.packaging]
    current = {filled(row, case.branch) for row in rows if case.branch in row.branches}
    for branch in sorted(row.branch for row in case.matrix.branches):
        for row in rows:
            if branch in row.branches and (name := filled(row, branch)) not in current:
                yield name
