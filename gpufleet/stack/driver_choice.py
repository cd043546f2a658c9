"""The driver's release and the build of its modules: which ones a host gets, and what speaks against them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from gpufleet.stack.flavor import choose_flavor
from gpufleet.stack.gpu_limits import gpu_limits
from gpufleet.stack.machine import Hardware, System
from gpufleet.stack.matrix import Matrix
from gpufleet.stack.matrix.driver_rows import Branch
from gpufleet.stack.matrix.rows import Flavor
from gpufleet.stack.rules import NO_GPU, WRITTEN, verdict
from gpufleet.stack.verdicts import Verdict
from gpufleet.stack.versions import upstream
from gpufleet.stack.wish import Wish

_WISH = re.compile(r"(?P<branch>[1-9][0-9]{2})(?P<rest>(\.[0-9]{1,4}){1,2}(-[A-Za-z0-9.+~]+)?)?")


@dataclass(frozen=True)
class Decision:
    """Release and build, as far as the wish tells them; all empty where a host gets no driver."""

    #: Upstream version, and the package version where the wish names one with its revision.
    version: str = ""
    package_version: str = ""
    branch: int | None = None
    row: Branch | None = None
    flavor: Flavor | None = None
    reason: str = ""
    verdicts: tuple[Verdict, ...] = field(default=())


def decide(hardware: Hardware, system: System, wish: Wish, matrix: Matrix) -> Decision:
    """Choose release and build; the verdicts say what is wrong with them, errors and remarks alike."""
    if wish.driver is None:
        return Decision()
    if not hardware.gpus:
        return Decision(verdicts=(_no_gpu(wish.driver),))
    written = _WISH.fullmatch(wish.driver)
    if written is None:
        return Decision(verdicts=(_unreadable(wish.driver),))
    row = matrix.branch(int(written["branch"]))
    if row is None:
        return Decision(branch=int(written["branch"]), verdicts=(_unknown_branch(wish.driver, matrix.branches),))
    if wish.source == "distribution" and not written["rest"]:
        return Decision(branch=row.branch, row=row, verdicts=(_inexact(wish.driver, row, matrix),))
    package_version = wish.driver if written["rest"] else _newest(matrix, row.branch)
    return _decision(hardware, wish, matrix, row, package_version)


def _decision(hardware: Hardware, wish: Wish, matrix: Matrix, row: Branch, package_version: str) -> Decision:
    flavor, reason, objections = choose_flavor(hardware, wish, row, matrix)
    return Decision(
        version=upstream(package_version),
        package_version=package_version,
        branch=row.branch,
        row=row,
        flavor=flavor,
        reason=reason,
        verdicts=(*_release_remarks(wish.driver or "", row, matrix), *gpu_limits(hardware, row, matrix), *objections),
    )


def _newest(matrix: Matrix, branch: int) -> str:
    row = matrix.newest_release(branch)
    return row.version if row else ""


def _release_remarks(wished: str, row: Branch, matrix: Matrix) -> Iterator[Verdict]:
    newest = _newest(matrix, row.branch)
    if "." in wished and not matrix.release(upstream(wished)):
        yield verdict(
            "note",
            row,
            where="driver",
            expected=f"a release of branch {row.branch} that the matrix knows, the newest being {newest or 'none'}",
            found=wished,
            cure="nothing need be done if the package repository has it; a row of your own says so",
        )
    elif not newest:
        yield verdict(
            "error",
            row,
            where="driver",
            expected=f"an exact version, as the matrix knows no release of branch {row.branch}",
            found=wished,
            cure=f"name one, such as {row.branch}.10.01",
        )


def _inexact(wished: str, row: Branch, matrix: Matrix) -> Verdict:
    return verdict(
        "error",
        row,
        where="driver",
        expected="an exact version of the distribution's packages, as its archive decides which ones it carries",
        found=f"branch {wished}",
        cure=f"name it, such as {_newest(matrix, row.branch) or f'{row.branch}.10.01'}, or set source to nvidia",
    )


def _no_gpu(wished: str) -> Verdict:
    return verdict(
        "note",
        NO_GPU,
        where="driver",
        expected="an NVIDIA GPU on the PCI bus",
        found="none",
        cure=f"nothing is installed of driver {wished} and what goes with it",
    )


def _unreadable(wished: str) -> Verdict:
    return verdict(
        "error",
        WRITTEN,
        where="driver",
        expected="a branch such as 580 or a version such as 580.95.05",
        found=repr(wished),
        cure="write it like that",
    )


def _unknown_branch(wished: str, branches: Iterable[Branch]) -> Verdict:
    known = ", ".join(str(row.branch) for row in sorted(branches, key=lambda row: row.branch))
    return verdict(
        "error",
        WRITTEN,
        where="driver",
        expected=f"a version of a branch that the matrix knows: {known}",
        found=wished,
        cure="choose one of them, or add rows of your own beside the inventory",
    )
