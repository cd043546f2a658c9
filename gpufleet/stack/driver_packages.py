"""The names a driver has on one system: packages, pin, stream, DKMS module, and what must not lie beside them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gpufleet.stack.case import Case
from gpufleet.stack.matrix.driver_rows import Scheme
from gpufleet.stack.resolution import DriverChoice, Package
from gpufleet.stack.rules import PACKAGED, SYSTEM, verdict
from gpufleet.stack.stale import stale_names
from gpufleet.stack.templates import fill
from gpufleet.stack.verdicts import Verdict
from gpufleet.stack.versions import numbers


def scheme(case: Case) -> Scheme | None:
    """Return the row that names the driver's packages for this system, origin, branch, flavor and profile."""
    fitting = [row for row in _schemes(case) if case.branch in row.branches and case.driver.flavor == row.flavor]
    named = {row.modules: row for row in fitting if row.profile == case.wish.profile}
    ready_made = named.get("precompiled") if case.wish.modules == "precompiled" and case.kernel else None
    return ready_made or named.get("dkms")


def no_scheme(case: Case) -> Iterator[Verdict]:
    """Say what the system has instead, where it has no packages for this driver."""
    refused = any(verdict.level == "error" for verdict in case.driver.verdicts)
    if refused or not case.has_driver or scheme(case):
        return
    if not any(case.system.release in row.systems for row in case.matrix.schemes):
        yield _unknown_system(case)
        return
    offered = "; ".join(sorted({_offer(row) for row in _schemes(case)})) or f"none from {case.wish.source}"
    yield verdict(
        "error",
        PACKAGED,
        where="driver",
        expected=f"packages that {case.wish.source} makes for {case.system.release} on {case.system.arch}: {offered}",
        found=f"branch {case.driver.branch}, {case.driver.flavor}, {case.wish.profile}",
        cure=_elsewhere(case),
    )


def _elsewhere(case: Case) -> str:
    """Return where to find packages: only a source that has the branch for this system is named."""
    others = [row for row in case.matrix.schemes if row.origin != case.wish.source and case.branch in row.branches]
    here = {
        row.origin for row in others if case.system.release in row.systems and case.system.arch in row.architectures
    }
    sources = [f"set source to {origin}" for origin in sorted(here)]
    return ", or ".join([*(["choose one of them"] if any(_schemes(case)) else []), *sources]) or "choose another system"


def emptied(case: Case) -> Iterator[Verdict]:
    """Refuse a version that the distribution has in name alone."""
    row = scheme(case)
    first = row.emptied.get(case.branch) if row else None
    if row and first and numbers(case.driver.version) >= numbers(first):
        yield verdict(
            "error",
            row,
            where="driver",
            expected=f"a version of branch {case.branch} before {first}, from which on the packages of "
            f"{case.system.release} are empty and bring another branch",
            found=case.driver.version,
            cure="choose the branch that they bring, or set source to nvidia",
        )


def driver_packages(case: Case, row: Scheme) -> DriverChoice:
    """Fill the names in."""
    driver = case.driver
    return DriverChoice(
        version=driver.version,
        branch=case.branch,
        flavor=row.flavor,
        source=row.origin,
        dkms_module=row.dkms_module(driver.version),
        module=row.module,
        packages=tuple(_packages(case, row)),
        unwanted=stale_names(case, row),
        pinning=_filled(case, case.matrix.pinning(row, driver.version)),
        stream=_filled(case, row.stream),
        versionlock=tuple(_filled(case, pattern) for pattern in row.versionlock),
        source_packages=row.source_packages,
        reason=f"{driver.flavor} kernel modules: {driver.reason}",
    )


def _schemes(case: Case) -> Iterator[Scheme]:
    for row in case.matrix.schemes:
        here = case.system.release in row.systems and case.system.arch in row.architectures
        if here and row.origin == case.wish.source:
            yield row


def _packages(case: Case, row: Scheme) -> Iterator[Package]:
    version = case.driver.package_version
    for name in row.packages:
        if name == row.persistenced:
            continue
        own = name in row.unversioned
        filled = _filled(case, name)
        yield Package("driver", filled, "" if own else version, _reason(case, filled))
    if row.persistenced and case.wish.persistence:
        own = row.persistenced in row.unversioned
        reason = "keeps idle GPUs initialized"
        yield Package("persistenced", _filled(case, row.persistenced), "" if own else version, reason)


def _reason(case: Case, name: str) -> str:
    if re.search(r"dkms|kmod|linux-modules|kernel", name):
        return f"{case.driver.flavor} kernel modules: {case.driver.reason}"
    return "without display libraries" if case.wish.profile == "compute" else "with display libraries"


def _filled(case: Case, template: str) -> str:
    return fill(template, case.branch, case.driver.version, case.kernel)


def _offer(row: Scheme) -> str:
    return f"{row.branches} {row.flavor} {row.profile}"


def _unknown_system(case: Case) -> Verdict:
    known = ", ".join(sorted({system for row in case.matrix.schemes for system in row.systems}))
    return verdict(
        "error",
        SYSTEM,
        where="system",
        expected=f"a system that the matrix has packages for: {known}",
        found=f"{case.system.id}-{case.system.version}",
        cure="install one of them, or add rows of your own beside the inventory",
    )
