"""Waiting for a new boot, on a clock that the test winds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from gpufleet.operations import boot


class Clock:
    """Time that passes by sleeping only."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Rebooting:
    """A host that answers with these identities, one for each connection; an exception is raised, `""` is no answer."""

    name = "gpu-07"

    def __init__(self, answers: list[str | Exception]) -> None:
        self.answers: Iterator[str | Exception] = iter(answers)
        self.connector_data: dict[str, Any] = {}
        self.logged: list[str] = []
        self.connected = True
        self.answer: str | Exception = ""

    def disconnect(self) -> None:
        self.connected = False

    def connect(self, show_errors: bool) -> None:
        assert not show_errors
        self.answer = next(self.answers, "")
        self.connected = self.answer != ""

    def run_shell_command(self, command: Any, **_: Any) -> tuple[bool, Any]:
        if isinstance(self.answer, Exception):
            raise self.answer
        return True, type("Output", (), {"stdout": f"{self.answer}\n"})

    def log_styled(self, text: str, **_: Any) -> None:
        self.logged.append(text)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(boot, "time", clock)
    return clock


def _wait(host: Any, timeout_s: int) -> bool:
    state: Any = None
    return boot.wait_for_boot(state, host, "a/1", timeout_s)


def test_a_new_identity_ends_the_wait(clock: Clock) -> None:
    host = Rebooting(["a/1", "", ConnectionResetError(), "a/2", "a/3"])
    assert _wait(host, 600)
    assert clock.now == 8
    assert host.logged == []


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        ([], "no answer"),
        ([TimeoutError()] * 20, "no answer"),
        (["a/1"] * 20, "the same boot"),
        (["a/1", "a/1", ""], "no answer"),
    ],
)
def test_the_deadline_is_in_seconds_and_the_error_says_what_was_seen(
    answers: list[Any], found: str, clock: Clock
) -> None:
    host = Rebooting(answers)
    assert not _wait(host, 20)
    assert clock.now == 20
    assert host.logged == [
        f"gpu-07: expected an answer from a new boot within 20 seconds, found {found}; "
        "look at the host's console, then run again or raise timeout_s"
    ]
