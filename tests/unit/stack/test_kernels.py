"""Which row about kernels counts where several speak of one driver."""

from __future__ import annotations

import datetime

import pytest

from gpufleet.stack.check import check
from gpufleet.stack.machine import Hardware
from gpufleet.stack.matrix.driver_rows import KernelRange
from gpufleet.stack.matrix.rows import Branches
from gpufleet.stack.wish import Wish
from tests.unit.stack.wishes import H100, MATRIX, UBUNTU

TODAY = datetime.date(2026, 1, 15)
ALL, ONE = Branches(first=570), Branches(first=580, last=580)


def row(newest: str | None, branches: Branches, systems: tuple[str, ...] = (), from_release: str = "") -> KernelRange:
    return KernelRange(
        branches=branches,
        systems=systems,
        from_release=from_release,
        oldest="4.15",
        newest=newest,
        source="our measurements",
        date=TODAY,
    )


CASES = {
    "the row of the branch alone": ([row(None, ALL), row("6.5", ONE)], "6.5"),
    "whatever their order": ([row("6.5", ONE), row(None, ALL)], "6.5"),
    "the row of the system": ([row("6.5", ONE), row("6.6", ALL, ("ubuntu-24.04",))], "6.6"),
    "not that of another system": ([row("6.5", ALL), row("6.6", ONE, ("el-9",))], "6.5"),
    "the row of newer releases": ([row("6.5", ONE, ("ubuntu-24.04",)), row("6.6", ALL, (), "580.95.05")], "6.6"),
    "not that of releases to come": ([row("6.5", ALL), row("6.6", ONE, (), "580.126.09")], "6.5"),
}


@pytest.mark.parametrize(("rows", "newest"), CASES.values(), ids=CASES)
def test_the_narrowest_row_counts(rows: list[KernelRange], newest: str) -> None:
    matrix = MATRIX.model_copy(update={"kernels": tuple(rows)})
    machine = Hardware(gpus=(H100,), kernel="6.8.0-60-generic")
    wish = Wish(driver="580.105.08", source="nvidia")
    (verdict,) = check(machine, UBUNTU, wish, matrix, TODAY, False)
    counted = next(row for row in rows if row.newest == newest)
    assert str(verdict) == (
        f"warning: kernel: expected kernel {newest} or older, the newest it is known to build on, for driver "
        f"580.105.08, found 6.8.0-60-generic; choose a newer driver, or boot another kernel (row {counted.row}; our "
        "measurements)"
    )
