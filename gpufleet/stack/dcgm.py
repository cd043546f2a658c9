"""DCGM: one set of packages for the CUDA major of the driver, two where old GPUs cannot use that major."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gpufleet.stack.case import Case
from gpufleet.stack.gpu_limits import generation_of
from gpufleet.stack.matrix.software_rows import DcgmMajor
from gpufleet.stack.part import Part
from gpufleet.stack.resolution import Package, Service
from gpufleet.stack.rules import DCGM_OLD_GPUS, NEEDS_DRIVER, WRITTEN, verdict
from gpufleet.stack.verdicts import Verdict
from gpufleet.stack.versions import newest, numbers

_WISH = re.compile(r"(?P<version>auto|[0-9]+(\.[0-9]+){1,2})(-cuda(?P<cuda>[0-9]{1,2}))?")


def dcgm(case: Case) -> Part:
    """Choose DCGM's packages and unit."""
    wish = case.wish.dcgm
    if wish is None or not case.hardware.gpus:
        return Part()
    written = _WISH.fullmatch(wish)
    if written is None or case.wish.driver is None:
        return Part(verdicts=(_unreadable(wish) if written is None else _no_driver(),))
    if case.driver.row is None:
        return Part()
    majors = cuda_majors(case)
    version = _newest(case, majors) if written["version"] == "auto" else str(written["version"])
    row = case.matrix.dcgm_major(numbers(version)[0]) if version else None
    if row is None:
        return Part(verdicts=(_unknown(case, wish),))
    objections = (*_wrong_major(case, written["cuda"], majors), *_limits(case, row, version, majors))
    if any(objection.level == "error" for objection in objections):
        return Part(verdicts=objections)
    return _installed(case, row, version, majors, objections)


def cuda_majors(case: Case) -> tuple[int, ...]:
    """Return the CUDA majors that DCGM needs here: the driver's, and the last one of GPUs that cannot use it."""
    if case.driver.row is None:
        return ()
    own = numbers(case.driver.row.cuda)[0]
    rows = [generation_of(device, case.matrix) for device in case.devices]
    older = {row.last_cuda_major for row in rows if row and row.last_cuda_major and row.last_cuda_major < own}
    return tuple(sorted({own, *older}))


def _installed(
    case: Case, row: DcgmMajor, version: str, majors: tuple[int, ...], objections: tuple[Verdict, ...]
) -> Part:
    why = f"driver {case.driver.version} brings CUDA {majors[-1]}"
    if len(majors) > 1:
        why += f", and GPUs that end with CUDA {majors[0]} need that as well"
    names = [_expanded(name, majors) for name in (*row.packages, *row.proprietary)]
    return Part(
        packages=tuple(Package("dcgm", name, version, why) for listed in names for name in listed),
        services=(Service(row.unit, enabled=True, reason="answers dcgmi and dcgm-exporter"),),
        unwanted=row.unwanted,
        verdicts=objections,
    )


def _expanded(name: str, majors: tuple[int, ...]) -> tuple[str, ...]:
    return tuple(name.replace("{cuda}", str(major)) for major in majors) if "{cuda}" in name else (name,)


def _newest(case: Case, majors: tuple[int, ...]) -> str:
    return newest(row.version for row in case.matrix.dcgm if set(majors) <= set(row.cuda_majors)) or ""


def _wrong_major(case: Case, wished: str | None, majors: tuple[int, ...]) -> Iterator[Verdict]:
    row = case.driver.row
    if row is not None and wished is not None and int(wished) not in majors:
        needed = " and ".join(f"cuda{major}" for major in majors)
        yield verdict(
            "error",
            DCGM_OLD_GPUS if len(majors) > 1 else row,
            where="dcgm",
            expected=f"DCGM for {needed}, as driver {case.driver.version} brings CUDA {row.cuda}",
            found=f"cuda{wished}",
            cure="set dcgm to auto or to a version alone",
        )


def _limits(case: Case, row: DcgmMajor, version: str, majors: tuple[int, ...]) -> Iterator[Verdict]:
    release = case.matrix.dcgm_release(version)
    offered = release.cuda_majors if release else row.cuda_majors
    if case.branch < row.minimum_branch:
        expected = f"driver branch {row.minimum_branch} or newer for DCGM {row.major}"
        cure = "choose a newer branch of the driver or an older DCGM"
        yield verdict("error", row, where="dcgm", expected=expected, found=f"branch {case.branch}", cure=cure)
    if not set(majors) <= set(offered):
        expected = f"a DCGM with packages for CUDA {' and '.join(map(str, majors))}, the driver's major"
        found = f"DCGM {version}, which has them for {', '.join(map(str, offered))}"
        yield verdict("error", release or row, where="dcgm", expected=expected, found=found, cure="set dcgm to auto")
    elif release is None:
        expected, cure = "a release that the matrix knows", "nothing need be done if the package repository has it"
        yield verdict("note", row, where="dcgm", expected=expected, found=version, cure=cure)


def _unknown(case: Case, wish: str) -> Verdict:
    known = ", ".join(row.version for row in sorted(case.matrix.dcgm, key=lambda row: numbers(row.version)))
    return verdict(
        "error",
        WRITTEN,
        where="dcgm",
        expected=f"a DCGM that the matrix knows for this driver: {known or 'none'}",
        found=wish,
        cure="choose one of them, or add rows of your own beside the inventory",
    )


def _unreadable(wish: str) -> Verdict:
    return verdict(
        "error",
        WRITTEN,
        where="dcgm",
        expected="auto, a version such as 4.4.1, or with its CUDA major such as 4.4.1-cuda13",
        found=repr(wish),
        cure="write it like that",
    )


def _no_driver() -> Verdict:
    return verdict(
        "error",
        NEEDS_DRIVER,
        where="dcgm",
        expected="a driver in the wish, whose CUDA major tells DCGM's packages",
        found="none",
        cure="name the driver, or leave dcgm out",
    )
