"""Errors per hour from two readings, and what is remembered between them."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpufleet.errors import GpufleetError
from gpufleet.fabric import counters, remembered
from gpufleet.fabric.counters import Counts, Excess, Reading
from tests.unit.fabric.small import case

PORT = "0x0000000000200000/1"
HOUR = 3600.0


def counts(**values: int) -> Counts:
    return {PORT: values}


def test_the_text_of_ibqueryerrors() -> None:
    text = case("ibqueryerrors")
    assert counters.parse(text.splitlines()) == {
        PORT: {"SymbolErrorCounter": 700, "LinkDownedCounter": 3},
        "0x0000000000200000/7": {"PortXmitDiscards": 9},
        "0x0000000000100001/1": {"PortRcvErrors": 4},
    }
    assert counters.ended(text)
    assert not counters.ended("Query SA failed: Connection timed out; sa call path_query failed\n")


def test_every_threshold_has_a_source() -> None:
    assert [name for name, row in counters.thresholds().items() if not (row.source and row.meaning)] == []


TABLE = [
    ("at the threshold", 10, 20, 1.0, None),
    ("above it", 10, 21, 1.0, (11, 1.0)),
    ("spread over hours", 10, 40, 3.0, None),
    ("more than that in hours", 10, 41, 3.0, (31, 3.0)),
    ("minutes are not made an hour of", 0, 10, 0.1, None),
    ("too many within minutes", 0, 11, 0.1, (11, 1.0)),
    ("cleared in between", 500, 11, 1.0, (11, 1.0)),
    ("cleared, and few since", 500, 9, 1.0, None),
    ("a clock set back", 0, 11, -5.0, (11, 1.0)),
]


@pytest.mark.parametrize(
    ("before", "now", "hours", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_symbol_errors(before: int, now: int, hours: float, expected: tuple[int, float] | None) -> None:
    found = counters.excesses(
        Reading(0, counts(SymbolErrorCounter=before)), Reading(hours * HOUR, counts(SymbolErrorCounter=now)), {}
    )
    assert found == ([Excess(PORT, "SymbolErrorCounter", *expected, 10)] if expected else [])


def test_a_link_that_went_down_once_is_enough() -> None:
    found = counters.excesses(Reading(0, {}), Reading(HOUR, counts(LinkDownedCounter=1)), {})
    assert found == [Excess(PORT, "LinkDownedCounter", 1, 1.0, 0)]


def test_a_site_may_have_thresholds_of_its_own() -> None:
    now = Reading(HOUR, counts(SymbolErrorCounter=100, PortXmitDiscards=5))
    assert counters.excesses(Reading(0, {}), now, {"SymbolErrorCounter": 120}) == []
    assert counters.excesses(Reading(0, {}), now, {"SymbolErrorCounter": 120, "PortXmitDiscards": 4}) == [
        Excess(PORT, "PortXmitDiscards", 5, 1.0, 4)
    ]


def test_frequent_checks_add_up_to_an_hour() -> None:
    first = Reading(0, counts(SymbolErrorCounter=10))
    kept = counters.kept(first, Reading(60, counts(SymbolErrorCounter=15)))
    assert kept == first
    late = Reading(HOUR, counts(SymbolErrorCounter=30))
    assert counters.kept(kept, late) is late


def test_a_cleared_counter_starts_from_zero() -> None:
    first = Reading(0, counts(SymbolErrorCounter=50, PortRcvErrors=2))
    kept = counters.kept(first, Reading(60, counts(SymbolErrorCounter=3, PortRcvErrors=2)))
    assert kept == Reading(0, {PORT: {"PortRcvErrors": 2}})
    assert counters.excesses(kept, Reading(120, counts(SymbolErrorCounter=60)), {})[0].errors == 60


def test_what_is_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPUFLEET_STATE_DIR", str(tmp_path / "state"))
    plan, reading = tmp_path / "fabric.yaml", Reading(5.0, counts(PortRcvErrors=2))
    assert remembered.former(plan) is None
    remembered.remember(plan, reading)
    assert remembered.former(plan) == reading
    assert remembered.former(tmp_path / "other.yaml") is None
    path = remembered.file_of(plan)
    path.write_text("{")
    with pytest.raises(GpufleetError) as caught:
        remembered.former(plan)
    assert str(caught.value) == (
        f"{path}: expected a reading of counters, found a damaged one; delete it: the next check starts anew"
    )
