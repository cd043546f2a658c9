"""Xid messages of the NVIDIA driver in a kernel log, and what each number means for the host."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

TABLE = Path(__file__).with_name("xids.yaml")

_XID = re.compile(r"NVRM: Xid \((?:PCI:)?(?P<gpu>[0-9a-fA-F:.]+)\).*?: (?P<number>\d+),")
# The driver does not always give the loss of a GPU a number: then it is counted as the Xid that it is.
_LOST = re.compile(r"NVRM:.*?(?P<gpu>[0-9a-fA-F]{4}:[0-9a-fA-F]{2}:[0-9a-fA-F]{2}).*fallen off the bus")
_LOST_NUMBER = 79


@dataclass(frozen=True)
class Meaning:
    """What a number asks of an operator, and who says so."""

    severity: Literal["fail", "warn"]
    meaning: str
    source: str


@dataclass(frozen=True, order=True)
class Xid:
    """One kind of message of one GPU: `Xid(79, "0000:5d:00")`."""

    number: int
    gpu: str

    def __str__(self) -> str:
        return f"Xid {self.number} of GPU {self.gpu} ({meaning(self.number).meaning})"


def found(log: Iterable[str]) -> list[Xid]:
    """Return the messages of a kernel log, each kind once per GPU."""
    return sorted({xid for line in log if (xid := _parse(line))})


def severe(xids: Iterable[Xid]) -> Iterator[Xid]:
    """Pick those that take a host out of service."""
    return (xid for xid in xids if meaning(xid.number).severity == "fail")


def meaning(number: int) -> Meaning:
    """Look a number up; one that the table does not name fails the host."""
    rows, default = _table()
    return rows.get(number, default)


def _parse(line: str) -> Xid | None:
    if match := _XID.search(line):
        return Xid(int(match["number"]), match["gpu"])
    if match := _LOST.search(line):
        return Xid(_LOST_NUMBER, match["gpu"])
    return None


@cache
def _table() -> tuple[dict[int, Meaning], Meaning]:
    data = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    rows = {number: _meaning(row) for row in data["xids"] for item in row["numbers"] for number in _numbers(item)}
    return rows, _meaning(data["default"])


def _meaning(row: dict[str, Any]) -> Meaning:
    return Meaning(row["severity"], row["meaning"], row["source"])


def _numbers(item: int | str) -> range:
    first, _, last = str(item).partition("-")
    return range(int(first), int(last or first) + 1)
