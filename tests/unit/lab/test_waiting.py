"""Waiting with a deadline, and working side by side."""

from __future__ import annotations

import threading

import pytest

from gpufleet.errors import LabError
from gpufleet.lab import waiting


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "INTERVAL", 0.001)


def test_until_ends_as_soon_as_the_condition_holds() -> None:
    looks = iter([(False, "starting"), (False, "starting"), (True, "running")])
    waiting.until("host", "a boot", lambda: next(looks), 10)
    assert list(looks) == []


def test_until_says_what_it_saw_last() -> None:
    with pytest.raises(LabError) as refusal:
        waiting.until("gpufleet-x-a", "a finished boot", lambda: (False, "starting"), 0.01)
    assert str(refusal.value) == (
        "gpufleet-x-a: expected a finished boot within 0.01 seconds, found starting; "
        "look into it with `docker logs gpufleet-x-a`, or start over with `gpufleet lab down`"
    )


def test_results_come_in_order() -> None:
    second = threading.Event()

    def work(item: int) -> int:
        if item == 1:
            assert second.wait(10)
        second.set()
        return item * 10

    assert waiting.each([1, 2], work) == [10, 20]


def test_the_first_failure_is_raised_when_all_have_ended() -> None:
    ended = []

    def work(item: str) -> None:
        ended.append(item)
        if item == "a":
            raise LabError(item, expected="x", found="y", cure="z")

    with pytest.raises(LabError) as refusal:
        waiting.each(["a", "b"], work)
    assert str(refusal.value) == "a: expected x, found y; z"
    assert sorted(ended) == ["a", "b"]


def test_an_interrupt_ends_the_waits_of_other_threads() -> None:
    """Ctrl-C reaches the main thread only; here one of the items plays it."""
    waits = threading.Event()
    ended = []

    def work(item: str) -> None:
        if item == "ctrl-c":
            assert waits.wait(10)
            raise KeyboardInterrupt

        def look() -> tuple[bool, str]:
            waits.set()
            return False, ""

        try:
            waiting.until(item, "never", look, 60)
        except KeyboardInterrupt:
            ended.append(item)
            raise

    with pytest.raises(KeyboardInterrupt):
        waiting.each(["ctrl-c", "waiter"], work)
    assert ended == ["waiter"]
    assert not waiting.interrupted.is_set()
