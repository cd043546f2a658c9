"""Load the matrix, with an operator's own rows over it, and refuse what is malformed or contradicts itself."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from gpufleet.errors import Fault, FaultsFoundError
from gpufleet.stack.matrix.contradictions import contradictions
from gpufleet.stack.matrix.matrix import Matrix
from gpufleet.stack.matrix.reading import SUBJECTS, Rows, read
from gpufleet.stack.matrix.rows import Row

DATA = Path(__file__).parent


def load(overlay: Path | None = None) -> Matrix:
    """Return the matrix, with the rows of `overlay` added or put in the place of those with the same key.

    Raises FaultsFoundError with every malformed row, or else every contradiction of the merged matrix.
    """
    return _load(overlay)


@cache  # which takes a default that is given for another question than one that is left out
def _load(overlay: Path | None) -> Matrix:
    return load_from(sorted(DATA.glob("*.yaml")), overlay)


def load_from(files: Iterable[Path], overlay: Path | None = None) -> Matrix:
    """Build a matrix from these files and an overlay; see `load`."""
    rows, faults = _read_all(files)
    if overlay is not None:
        own, own_faults = _read_all([overlay])
        rows, faults = _laid_over(rows, own), faults + own_faults
    if not faults:
        content: dict[str, Any] = {subject: tuple(found) for subject, found in rows.items()}
        matrix = Matrix.model_construct(**content)
        faults = list(contradictions(matrix))
    if faults:
        raise FaultsFoundError(str(overlay) if overlay else "stack matrix", faults)
    return matrix


def _read_all(files: Iterable[Path]) -> tuple[Rows, list[Fault]]:
    rows: Rows = {subject: [] for subject in SUBJECTS}
    faults: list[Fault] = []
    for file in files:
        found, wrong = read(file)
        faults += wrong
        for subject, listed in found.items():
            rows[subject] += listed
    return rows, faults + [fault for listed in rows.values() for fault in _twice(listed)]


def _twice(rows: Iterable[Row]) -> Iterable[Fault]:
    """Report rows of one key that are not an overlay's: nobody could say which of them counts."""
    seen: dict[tuple[str, ...], Row] = {}
    for row in rows:
        earlier = seen.setdefault(row.identity, row)
        if earlier is not row:
            yield Fault(row.place, f"is there already, in {earlier.file}", "keep one of the two")


def _laid_over(rows: Rows, own: Rows) -> Rows:
    return {
        subject: [*(row for row in listed if row.identity not in {one.identity for one in own[subject]}), *own[subject]]
        for subject, listed in rows.items()
    }
