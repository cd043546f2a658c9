"""Results folded from events: every case is a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from gpufleet.converge.events import Event, HostState, Kind, Outcome
from gpufleet.converge.results import RunResult


def started(host: str, operation: str) -> Event:
    return Event(Kind.STARTED, host, operation, number=1, total=2)


def completed(host: str, operation: str, outcome: Outcome) -> Event:
    return Event(Kind.COMPLETED, host, operation, outcome)


def ended(host: str, state: HostState = HostState.DONE, error: str = "") -> Event:
    return Event(Kind.ENDED, host, state=state, error=error, seconds=2.04)


@dataclass(frozen=True)
class Case:
    events: Sequence[Event]
    states: dict[str, str]
    changed: int
    operations: int
    exit_code: int
    failures: Sequence[str] = ()


LOST = (
    "a: expected an end of its run, found its process ended by SIGKILL while at `One`; "
    "what was done is not known; run again"
)

CASES = {
    "a changed and an unchanged host": Case(
        [
            completed("a", "One", Outcome.CHANGED),
            completed("a", "Two", Outcome.UNCHANGED),
            completed("b", "One", Outcome.UNCHANGED),
            ended("a"),
            ended("b"),
        ],
        {"a": "done", "b": "done"},
        changed=1,
        operations=3,
        exit_code=0,
    ),
    "one fails, the other finishes": Case(
        [completed("a", "One", Outcome.FAILED), ended("a", HostState.FAILED, "a: broken"), ended("b")],
        {"a": "failed", "b": "done"},
        changed=0,
        operations=1,
        exit_code=1,
        failures=["a: broken"],
    ),
    "unreachable and refused": Case(
        [ended("a", HostState.UNREACHABLE, "a: no answer"), ended("b", HostState.REFUSED, "b: no sudo")],
        {"a": "unreachable", "b": "refused"},
        changed=0,
        operations=0,
        exit_code=1,
        failures=["a: no answer", "b: no sudo"],
    ),
    "a host without a last event": Case(
        [started("a", "One"), ended("b")],
        {"a": "failed", "b": "done"},
        changed=0,
        operations=0,
        exit_code=1,
        failures=[LOST],
    ),
    "events of hosts that are not ours": Case(
        [completed("stranger", "One", Outcome.CHANGED), ended("a"), ended("b")],
        {"a": "done", "b": "done"},
        changed=0,
        operations=0,
        exit_code=0,
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_fold(case: Case) -> None:
    result = RunResult.expecting(["a", "b"])
    for event in case.events:
        result.apply(event)
    for event in result.close(["a", "b"], "its process ended by SIGKILL"):
        result.apply(event)
    assert {name: str(host.state) for name, host in result.hosts.items()} == case.states
    assert (result.changed, result.operations) == (case.changed, case.operations)
    assert result.failures() == list(case.failures)
    assert result.exit_code() == case.exit_code


def test_a_run_that_was_stopped_is_resumable() -> None:
    result = RunResult.expecting(["a"])
    result.interrupted = True
    result.apply(ended("a"))
    assert result.exit_code() == 3


def test_a_dry_run_tells_certain_from_conditional_changes() -> None:
    result = RunResult.expecting(["a"], dry=True)
    for name, outcome in (("One", Outcome.CHANGED), ("Two", Outcome.CONDITIONAL), ("Three", Outcome.UNCHANGED)):
        result.apply(Event(Kind.PLANNED, "a", name, outcome))
    result.apply(ended("a"))
    assert result.hosts["a"].as_dict() == {
        "state": "done",
        "changed": 1,
        "unchanged": 1,
        "conditional": 1,
        "changed_operations": ["One"],
        "failed_operation": None,
        "error": None,
        "seconds": 2.0,
    }


def test_the_roles_of_several_processes_add_up() -> None:
    result = RunResult.expecting(["a"])
    result.apply(Event(Kind.ROLES, names=("base",)))
    result.apply(Event(Kind.ROLES, names=("base", "nvidia_driver")))
    assert result.roles == {"base", "nvidia_driver"}


def test_totals_count_every_state() -> None:
    result = RunResult.expecting(["a", "b", "c"])
    result.seconds = 3.14159
    result.apply(completed("a", "One", Outcome.CHANGED))
    for event in (ended("a"), ended("b", HostState.UNREACHABLE, "b: x"), ended("c", HostState.FAILED, "c: x")):
        result.apply(event)
    assert result.totals() == {
        "hosts": 3,
        "done": 1,
        "failed": 1,
        "unreachable": 1,
        "refused": 0,
        "operations": 1,
        "changed": 1,
        "unchanged": 0,
        "conditional": 0,
        "seconds": 3.1,
    }
