"""Whether a driver's modules build on a kernel."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gpufleet.stack.case import Case
from gpufleet.stack.matrix.driver_rows import KernelRange
from gpufleet.stack.rules import WRITTEN, verdict
from gpufleet.stack.verdicts import Verdict
from gpufleet.stack.versions import numbers

#: Stands for the last branch of a range without an end.
_ENDLESS = 9999


def kernel_numbers(release: str) -> tuple[int, ...]:
    """Return the numbers that a kernel's release begins with: (6, 1, 0) of `6.1.0-50-amd64`; none where it has none."""
    match = re.match(r"[0-9]{1,4}(\.[0-9]{1,4}){1,3}", release)
    return tuple(int(part) for part in match[0].split(".")) if match else ()


def kernel_conflicts(case: Case) -> Iterator[Verdict]:
    """Say whether the kernel is too old or newer than known for the driver; the distribution's own go together."""
    if case.wish.kernel is not None and not kernel_numbers(case.wish.kernel):
        yield _unreadable(case.wish.kernel)
    if not case.has_driver or case.wish.source == "distribution":
        return
    known = kernel_numbers(case.kernel)
    rows = case.matrix.kernels_for(case.driver.version, case.system.release)
    if not known or not rows:
        return
    row = max(rows, key=_narrowness)
    if known < numbers(row.oldest):
        yield _outside(case, row, "error", f"kernel {row.oldest} or newer")
    elif row.newest and known[: len(numbers(row.newest))] > numbers(row.newest):
        yield _outside(case, row, "warning", f"kernel {row.newest} or older, the newest it is known to build on")


def _narrowness(row: KernelRange) -> tuple[tuple[int, ...], bool, int]:
    """Of several rows the narrowest counts, so that an operator's own is heard: by release, system, then branches."""
    since = numbers(row.from_release) if row.from_release else ()
    return since, bool(row.systems), row.branches.first - (row.branches.last or _ENDLESS)


def _outside(case: Case, row: KernelRange, level: str, expected: str) -> Verdict:
    return verdict(
        "error" if level == "error" else "warning",
        row,
        where="kernel",
        expected=f"{expected}, for driver {case.driver.version}",
        found=case.kernel,
        cure="choose a newer driver, or boot another kernel",
    )


def _unreadable(found: str) -> Verdict:
    return verdict(
        "error",
        WRITTEN,
        where="kernel",
        expected="a kernel's release such as 6.8.0-60-generic",
        found=repr(found),
        cure="write it as uname -r prints it",
    )
