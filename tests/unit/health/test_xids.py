"""Xid messages in kernel logs, and the table that judges them."""

from __future__ import annotations

import pytest

from gpufleet.health import xids
from gpufleet.health.xids import Xid

LOST = "NVRM: GPU 0000:5d:00.0: GPU has fallen off the bus."
FAULT = "NVRM: Xid (PCI:0000:1b:00): 31, pid=4711, name=python, Ch 00000008, MMU Fault"

LOGS = {
    "nothing": (["usb 1-1: new device"], []),
    "with pid": ([f"[   12.345678] {FAULT}"], [Xid(31, "0000:1b:00")]),
    "twice": ([FAULT, FAULT], [Xid(31, "0000:1b:00")]),
    "lost without a number": ([LOST], [Xid(79, "0000:5d:00")]),
    "lost with both": (["NVRM: Xid (PCI:0000:5d:00): 79, GPU has fallen off the bus.", LOST], [Xid(79, "0000:5d:00")]),
    "without PCI": (["NVRM: Xid (0000:03:00): 48, DBE"], [Xid(48, "0000:03:00")]),
}


@pytest.mark.parametrize(("log", "found"), LOGS.values(), ids=LOGS)
def test_found(log: list[str], found: list[Xid]) -> None:
    assert xids.found(log) == found


SEVERITIES = {13: "warn", 31: "warn", 43: "warn", 45: "warn", 63: "warn", 94: "warn", 40: "warn", 48: "fail"} | {
    64: "fail", 74: "fail", 79: "fail", 95: "fail", 119: "fail", 147: "fail", 999: "fail"
}  # fmt: skip


@pytest.mark.parametrize(("number", "severity"), SEVERITIES.items())
def test_severity(number: int, severity: str) -> None:
    assert xids.meaning(number).severity == severity


def test_severe_ones_are_picked() -> None:
    assert list(xids.severe([Xid(31, "a"), Xid(79, "b")])) == [Xid(79, "b")]


def test_text_says_what_to_do() -> None:
    text = "Xid 79 of GPU 0000:5d:00 (GPU fell off the bus; drain and reboot, replace it when it comes back)"
    assert str(Xid(79, "0000:5d:00")) == text


def test_every_row_has_a_source() -> None:
    rows, default = xids._table()
    assert all(row.source and row.meaning for row in [*rows.values(), default])
