"""What the driver's companions are called on one system and branch, and what they were called on others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from gpufleet.stack.case import Case
from gpufleet.stack.matrix.driver_rows import Companion, CompanionPackage, Need
from gpufleet.stack.resolution import Package
from gpufleet.stack.rules import SAME_VERSION, WRITTEN, verdict
from gpufleet.stack.verdicts import Verdict
from gpufleet.stack.versions import upstream

_VERSION = re.compile(r"[0-9]{3}(\.[0-9]{1,4}){1,2}(-[A-Za-z0-9.+~]+)?")


def companion_packages(
    case: Case, components: Iterable[Companion], need: Need, why: str
) -> tuple[tuple[Package, ...], tuple[str, ...], tuple[Companion, ...]]:
    """Return packages and units of those companions that the need asks for, and which of all have no package here."""
    packages: list[Package] = []
    units: list[str] = []
    absent: list[Companion] = []
    for component in components:
        row = case.matrix.companion(component, case.packaging, case.branch, case.arch)
        if row is None:
            absent.append(component)
        elif need in row.needed_by:
            packages += _packages(case, row, why)
            units += [row.unit] if row.unit else []
    return tuple(packages), tuple(units), tuple(absent)


def offered(case: Case) -> bool:
    """Tell whether NVIDIA's repository for the system has the branch: companions of any driver come from there."""
    rows = [row for row in case.matrix.schemes if case.system.release in row.systems]
    return not rows or any(row.origin == "nvidia" and case.branch in row.branches for row in rows)


def wanted_version(case: Case, component: Companion, version: str) -> Iterator[Verdict]:
    """Refuse a version of a companion that is not the driver's."""
    called = component.replace("_", " ")
    if not _VERSION.fullmatch(version):
        yield verdict(
            "error",
            WRITTEN,
            where=component,
            expected="auto, on, off, or the driver's version",
            found=repr(version),
            cure=f"set {component} to auto",
        )
    elif case.has_driver and upstream(version) != case.driver.version:
        yield verdict(
            "error",
            SAME_VERSION,
            where=component,
            expected=f"{called} {case.driver.version}, the driver's version to the last digit",
            found=version,
            cure=f"set {component} to auto",
        )


def stale_companions(case: Case) -> Iterator[str]:
    """Return the names that companions have on the other branches: left behind, they hold an old version in place."""
    rows = [row for row in case.matrix.companions if row.packaging == case.packaging]
    current = {_name(row, case.branch) for row in rows if case.branch in row.branches}
    for branch in case.matrix_branches:
        for row in rows:
            if branch in row.branches and (name := _name(row, branch)) not in current:
                yield name


def _packages(case: Case, row: CompanionPackage, why: str) -> Iterator[Package]:
    for extra in row.extra:
        yield Package(row.component, extra.replace("{branch}", str(case.branch)), reason=f"{row.name} needs it")
    version = case.driver.version if row.version == "driver" else ""
    yield Package(row.component, _name(row, case.branch), version, why)


def _name(row: CompanionPackage, branch: int) -> str:
    return row.name.replace("{branch}", str(branch))
