"""A judgment of the matrix about one wish, with the row that it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["error", "warning", "note"]


@dataclass(frozen=True, order=True)
class Verdict:
    """One conflict, warning or remark: what the wish says, what the row demands, and the ways out."""

    level: Level
    #: Field of the wish (`cuda`, `driver`, `fabric_manager` ...) that it is about.
    where: str
    expected: str
    found: str
    cure: str
    #: The matrix row, such as `cuda 13.0`, and its source.
    row: str
    source: str

    def __str__(self) -> str:
        return (
            f"{self.level}: {self.where}: expected {self.expected}, found {self.found}; {self.cure}"
            f" (row {self.row}; {self.source})"
        )
