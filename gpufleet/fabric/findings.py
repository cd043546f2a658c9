"""One difference between plan and reality, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "absent", "missing", "swapped", "moved", "wrong rail", "extra", "unknown node", "slow", "narrow", "not active",
    "duplicate guid", "duplicate name", "other guid", "no path", "errors", "subnet manager",
]  # fmt: skip

Pair = tuple[str, str]


@dataclass(frozen=True)
class Finding:
    """What is wrong, where, and what to do; `where` names both ends of a cable."""

    kind: Kind
    where: str
    expected: str
    found: str
    cure: str
    #: Ends of the cables that are meant: those of the plan, and those that are built instead.
    planned: tuple[Pair, ...] = ()
    built: tuple[Pair, ...] = ()
    #: Switches and devices that are meant as a whole.
    nodes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.kind}: {self.where}: expected {self.expected}, found {self.found}; {self.cure}"


@dataclass(frozen=True)
class Report:
    """All findings of a check, and what could not be judged."""

    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    #: Numbers of what was held against each other: hosts, switches and cables of the plan, links found.
    sizes: dict[str, int]
