"""What cannot be true of one matrix: every check by name, and all their faults in one list."""

from __future__ import annotations

from collections.abc import Iterator

from gpufleet.errors import Fault
from gpufleet.stack.matrix import (
    containerd_contradictions,
    driver_contradictions,
    package_contradictions,
    software_contradictions,
)
from gpufleet.stack.matrix.matrix import Matrix
from gpufleet.stack.matrix.rows import Row

CHECKS = (
    *driver_contradictions.CHECKS,
    *package_contradictions.CHECKS,
    *software_contradictions.CHECKS,
    *containerd_contradictions.CHECKS,
)


def contradictions(matrix: Matrix) -> Iterator[Fault]:
    """Yield every contradiction, each naming the file, the row and the row it disagrees with."""
    yield from _unverified_without_reason(matrix.rows)
    for check in CHECKS:
        yield from check(matrix)


def _unverified_without_reason(rows: tuple[Row, ...]) -> Iterator[Fault]:
    for row in rows:
        if not row.verified and not row.note:
            yield Fault(row.place, "is marked as not verified, without a note", "say in its note why")
