"""GDRCopy: its module and library, built against the driver that is there."""

from __future__ import annotations

import re

from gpufleet.stack.case import Case
from gpufleet.stack.part import Part
from gpufleet.stack.resolution import Package
from gpufleet.stack.rules import NEEDS_DRIVER, WRITTEN, verdict
from gpufleet.stack.verdicts import Verdict
from gpufleet.stack.versions import newest

_WISH = re.compile(r"auto|[0-9]{1,3}(\.[0-9]{1,3}){1,2}")


def gdrcopy(case: Case) -> Part:
    """Choose GDRCopy's packages and its module."""
    wish = case.wish.gdrcopy
    if wish is None or not case.hardware.gpus:
        return Part()
    if case.wish.driver is None:
        return Part(verdicts=(_no_driver(),))
    version = newest(row.version for row in case.matrix.gdrcopy) if wish == "auto" else wish
    row = case.matrix.gdrcopy_release(version) if version and _WISH.fullmatch(version) else None
    if row is None:
        return Part(verdicts=(_unknown(case, wish),))
    if 0 < case.branch < row.minimum_branch:
        expected = f"driver branch {row.minimum_branch} or newer for GDRCopy {row.version}"
        found, cure = f"branch {case.branch}", "choose a newer branch of the driver, or leave gdrcopy out"
        return Part(verdicts=(verdict("error", row, where="gdrcopy", expected=expected, found=found, cure=cure),))
    reason = "low-latency copies to GPU memory; from a repository of your own, as NVIDIA publishes none"
    names = row.rpm if case.packaging == "rpm" else row.deb
    return Part(
        packages=tuple(Package("gdrcopy", name, row.version, reason) for name in names),
        kernel_modules=("gdrdrv",),
        reasons={"module gdrdrv": "GDRCopy's module, which needs the driver's loaded first"},
    )


def _no_driver() -> Verdict:
    return verdict(
        "error",
        NEEDS_DRIVER,
        where="gdrcopy",
        expected="a driver in the wish, which GDRCopy's module is built against",
        found="none",
        cure="name the driver, or leave gdrcopy out",
    )


def _unknown(case: Case, wish: str) -> Verdict:
    known = ", ".join(row.version for row in case.matrix.gdrcopy)
    return verdict(
        "error",
        WRITTEN,
        where="gdrcopy",
        expected=f"auto or a release that the matrix knows: {known or 'none'}",
        found=repr(wish),
        cure="choose one of them, or add a row of your own beside the inventory",
    )
