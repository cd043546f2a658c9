"""What a check raised, as an outcome and one line of text."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from testinfra.backend.base import CommandResult
from testinfra.backend.local import LocalBackend

from gpufleet.health.outcomes import CheckError, Outcome, assertion_text, judge, one_line, unproven

SKIPPED = "a check is never skipped, it is unproven() or not there: later"


def fail_plainly() -> None:
    raise AssertionError("expected no swap, found /dev/sda2\nassert ['/dev/sda2'] == []\n  at index 0")


def assert_without_words() -> None:
    raise AssertionError("assert 1 == 2\n +  where 1 = f()")


def lose_connection() -> None:
    raise RuntimeError(CommandResult(LocalBackend(), 255, b"true", b"", b"Connection reset by peer\n"))


def divide() -> None:
    1 / 0  # noqa: B018 - raises


CASES: list[tuple[Callable[[], object], Outcome, str]] = [
    (lambda: None, Outcome.PASS, ""),
    (fail_plainly, Outcome.FAIL, "expected no swap, found /dev/sda2"),
    (assert_without_words, Outcome.FAIL, "assert 1 == 2"),
    (lambda: pytest.fail("no driver\nat all"), Outcome.FAIL, "no driver at all"),
    (lambda: unproven("the hard limit\nis 8192"), Outcome.UNPROVEN, "the hard limit is 8192"),
    (lambda: pytest.skip("later"), Outcome.ERROR, SKIPPED),
    (lambda: pytest.xfail("later"), Outcome.ERROR, SKIPPED),
    (divide, Outcome.ERROR, "ZeroDivisionError: division by zero"),
    (lose_connection, Outcome.ERROR, "expected an answer over SSH, found: Connection reset by peer"),
]


@pytest.mark.parametrize(("check", "outcome", "message"), CASES)
def test_judge(check: Callable[[], object], outcome: Outcome, message: str) -> None:
    raised: BaseException | None = None
    try:
        check()
    except BaseException as error:  # pytest's outcomes are no Exceptions
        raised = error
    assert judge(raised) == (outcome, message)


def test_an_error_of_the_probe_is_its_own_text() -> None:
    assert judge(CheckError("expected an answer, found none")) == (Outcome.ERROR, "expected an answer, found none")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "the assertion gives no text"),
        ("driver 1, not 2", "driver 1, not 2"),
        ("two\nlines\nassert False", "two\nlines"),
    ],
)
def test_assertion_text(text: str, expected: str) -> None:
    assert assertion_text(AssertionError(text)) == expected


def test_a_message_cannot_steer_the_terminal() -> None:
    assert one_line(" a\tb\n\x1b[2Jc\udcff ") == "a b \\x1b[2Jc\\xdcff"


def test_the_worst_outcome_is_found_by_severity() -> None:
    assert sorted(Outcome, key=lambda outcome: outcome.severity) == ["pass", "unproven", "error", "fail"]
