"""CUDA toolkits side by side: their packages, the default, and what the driver says to each of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gpufleet.stack.case import Case
from gpufleet.stack.cuda_driver import Support, support
from gpufleet.stack.matrix.software_rows import Cuda
from gpufleet.stack.part import Part
from gpufleet.stack.resolution import Package
from gpufleet.stack.rules import CUDA_DEFAULT, WRITTEN, verdict
from gpufleet.stack.verdicts import Verdict
from gpufleet.stack.versions import minor, numbers

_VERSION = re.compile(r"[0-9]{1,3}\.[0-9]{1,3}(\.[0-9]{1,3})?")


@dataclass(frozen=True)
class Toolkit:
    """One toolkit of the wish with its row and how the driver supports it."""

    version: str
    row: Cuda
    support: Support


def toolkits(case: Case) -> tuple[tuple[Toolkit, ...], tuple[Verdict, ...]]:
    """Return the toolkits that the matrix knows, oldest first, and verdicts about the others."""
    known: dict[str, Toolkit] = {}
    verdicts: list[Verdict] = []
    for version in dict.fromkeys(case.wish.cuda):
        row = case.matrix.cuda_toolkit(version) if _VERSION.fullmatch(version) else None
        if row is None or (version not in row.updates and numbers(version)[2:] not in ((), (0,))):
            verdicts.append(_unknown(case, version))
        elif row.version in known:
            verdicts.append(_twice(row, known[row.version].version, version))
        else:
            known[row.version] = Toolkit(version, row, support(case, version, row))
    return tuple(sorted(known.values(), key=lambda toolkit: numbers(toolkit.row.version))), tuple(verdicts)


def cuda(case: Case) -> tuple[str, Part]:
    """Choose the packages of the toolkits, and return the default beside them."""
    found, unknown = toolkits(case)
    default, objections = _default(case, found)
    packages = [package for toolkit in found for package in _packages(case, toolkit)]
    verdicts = [verdict for toolkit in found for verdict in (*_offered(case, toolkit), *toolkit.support.verdicts)]
    reasons = {"cuda_default": _default_reason(case, found, default)} if default else {}
    return default, Part(packages=tuple(packages), reasons=reasons, verdicts=(*unknown, *objections, *verdicts))


def own_package(case: Case, row: Cuda) -> str | None:
    """Return the distribution's package of a toolkit, where the wish prefers those and there is one."""
    return row.distribution.get(case.system.release) if case.wish.source == "distribution" else None


def _packages(case: Case, toolkit: Toolkit) -> Iterator[Package]:
    exact = toolkit.version if len(numbers(toolkit.version)) > 2 else ""
    if own := own_package(case, toolkit.row):
        yield Package(
            "cuda", own, f"{toolkit.row.version}.*", f"CUDA {toolkit.version} as the distribution packages it"
        )
    else:
        reason = f"CUDA {toolkit.version} side by side with others; the metapackage cuda would bring a driver"
        yield Package("cuda", toolkit.row.toolkit, exact, reason)
    if toolkit.support.compat:
        version = toolkit.row.driver_of(toolkit.version) if exact else ""
        yield Package("cuda_compat", toolkit.row.compat, version, toolkit.support.compat)


def _offered(case: Case, toolkit: Toolkit) -> Iterator[Verdict]:
    row = toolkit.row
    if case.system.release in row.systems and case.system.arch in row.architectures:
        return
    if own_package(case, row):
        yield from _compat_offered(case, toolkit)
        return
    known = (other for other in case.matrix.cuda if case.system.release in other.systems)
    versions = ", ".join(other.version for other in known if case.system.arch in other.architectures)
    own = row.distribution.get(case.system.release)
    yield verdict(
        "error",
        row,
        where="cuda",
        expected=f"a toolkit that NVIDIA builds for {case.system.release} on {case.system.arch}: {versions or 'none'}",
        found=toolkit.version,
        cure="set source to distribution, which packages it" if own else "choose one of them",
    )


def _compat_offered(case: Case, toolkit: Toolkit) -> Iterator[Verdict]:
    """The distribution's own toolkit has no cuda-compat beside it where NVIDIA does not build that toolkit."""
    row = toolkit.row
    if toolkit.support.compat:
        yield verdict(
            "error",
            row,
            where="cuda_compat",
            expected=f"a system that NVIDIA builds {row.compat} for: {', '.join(row.systems)}",
            found=f"{case.system.release} on {case.system.arch}",
            cure=f"choose driver {row.driver_of(toolkit.version)} or newer, or leave cuda_compat out",
        )


def _default(case: Case, found: tuple[Toolkit, ...]) -> tuple[str, tuple[Verdict, ...]]:
    wished = case.wish.cuda_default
    versions = [toolkit.row.version for toolkit in found]
    if wished is None:
        full = [toolkit.row.version for toolkit in found if not toolkit.support.verdicts]
        return next(reversed(full or versions), ""), ()
    if _VERSION.fullmatch(wished) and minor(wished) in versions:
        return minor(wished), ()
    expected = f"one of the toolkits wished for: {', '.join(case.wish.cuda) or 'none'}"
    cure = "add it to cuda, or choose another default"
    return "", (verdict("error", CUDA_DEFAULT, where="cuda_default", expected=expected, found=repr(wished), cure=cure),)


def _default_reason(case: Case, found: tuple[Toolkit, ...], default: str) -> str:
    if case.wish.cuda_default is not None:
        return f"{default} is wished for"
    if len(found) == 1:
        return f"{default} is the only one"
    chosen = next(toolkit.support for toolkit in found if toolkit.row.version == default)
    if chosen.verdicts:
        return f"{default} is the newest"
    return f"{default} is the newest that the driver supports {'with cuda-compat' if chosen.compat else 'in full'}"


def _twice(row: Cuda, first: str, second: str) -> Verdict:
    expected, cure = "each toolkit once, as an update takes its place", "take one of them out"
    return verdict("error", row, where="cuda", expected=expected, found=f"{first} and {second}", cure=cure)


def _unknown(case: Case, version: str) -> Verdict:
    known = ", ".join(row.version for row in sorted(case.matrix.cuda, key=lambda row: numbers(row.version)))
    return verdict(
        "error",
        WRITTEN,
        where="cuda",
        expected=f"a toolkit that the matrix knows, or one of its updates: {known}",
        found=repr(version),
        cure="choose one of them, or add a row of your own beside the inventory",
    )
