"""Results put together from what the recorder wrote, missing and repeated ones included."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gpufleet.errors import ProjectError
from gpufleet.health.events import gather
from gpufleet.health.outcomes import Outcome
from gpufleet.health.verification import Check

A = {"host": "gpu-01", "role": "base", "check": "a"}
B = {"host": "gpu-01", "role": "base", "check": "b"}


def planned(*checks: dict[str, str]) -> dict[str, Any]:
    return {"kind": "planned", "checks": list(checks)}


def ended(identity: dict[str, str], outcome: str, message: str = "") -> dict[str, Any]:
    return {"kind": "check", **identity, "outcome": outcome, "message": message, "whole_host": False, "seconds": 0.5}


def check(identity: dict[str, str], outcome: Outcome, message: str = "", seconds: float = 0.5) -> Check:
    return Check(identity["host"], identity["role"], identity["check"], outcome, message, seconds=seconds)


MISSING = "expected an outcome, found none: the checks were interrupted"


@pytest.mark.parametrize(
    ("events", "checks"),
    [
        ([], []),
        ([planned(A), ended(A, "pass")], [check(A, Outcome.PASS)]),
        (
            [planned(A, B), ended(B, "fail", "no")],
            [replace(check(A, Outcome.ERROR, MISSING, seconds=0.0), whole_host=True), check(B, Outcome.FAIL, "no")],
        ),
        ([planned(A), ended(A, "pass"), ended(A, "error", "down")], [check(A, Outcome.ERROR, "down")]),
        ([planned(A), ended(A, "fail", "no"), ended(A, "error", "down")], [check(A, Outcome.FAIL, "no")]),
        ([planned(A), ended(A, "unproven", "?"), ended(A, "pass")], [check(A, Outcome.UNPROVEN, "?")]),
    ],
)
def test_gather(events: list[dict[str, Any]], checks: list[Check]) -> None:
    told: list[Check] = []
    assert gather(events, told.append) == checks
    assert len(told) == sum(event["kind"] == "check" for event in events)


def test_a_module_that_cannot_be_read() -> None:
    events = [{"kind": "broken", "where": "tests/verify/test_base.py", "message": "SyntaxError: bad"}]
    with pytest.raises(ProjectError) as raised:
        gather(events, lambda check: None)
    assert str(raised.value) == (
        "tests/verify/test_base.py: expected a check module that Python can read, found SyntaxError: bad; "
        "correct the file"
    )
