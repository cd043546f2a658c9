"""The four ways a check ends, and how pytest's way of saying so becomes ours."""

from __future__ import annotations

from enum import StrEnum
from typing import NoReturn

import pytest
from testinfra.backend.base import CommandResult


class Outcome(StrEnum):
    """How a check of a host ended; only `pass` is proof."""

    PASS = "pass"  # noqa: S105 - the outcome's name, no secret
    #: The host is not as declared.
    FAIL = "fail"
    #: The check ran, and this host cannot show whether the declared state holds.
    UNPROVEN = "unproven"
    #: The check could not run: host unreachable, probe broken, or a fault in the check itself.
    ERROR = "error"

    @property
    def severity(self) -> int:
        """Rank by which the worst of several outcomes is found."""
        return list(Outcome).index(self) if self is not Outcome.FAIL else len(Outcome)


class Reason(str):
    """Why something is unproven; the type is what tells it from the reason of a plain skip."""


class CheckError(Exception):
    """A check could not run; its text says why. `whole_host` when no check of that host could."""

    def __init__(self, why: str, *, whole_host: bool = False) -> None:
        self.whole_host = whole_host
        super().__init__(why)


def unproven(why: str) -> NoReturn:
    """End a check as neither pass nor fail: this host cannot show whether the declared state holds.

    **Example:**

        if hard_limit < wanted:
            unproven(f"the host's own hard limit is {hard_limit}")
    """
    __tracebackhide__ = True
    pytest.skip(Reason(why))


def judge(raised: BaseException | None) -> tuple[Outcome, str]:
    """Return the outcome and its one-line message for what a check raised, None meaning nothing."""
    return _outcome(raised), one_line(_text(raised))


def _outcome(raised: BaseException | None) -> Outcome:
    if raised is None:
        return Outcome.PASS
    if _is_unproven(raised):
        return Outcome.UNPROVEN
    is_failure = isinstance(raised, AssertionError | pytest.fail.Exception) and not _is_skip(raised)
    return Outcome.FAIL if is_failure else Outcome.ERROR


def _text(raised: BaseException | None) -> str:
    match raised:
        case None:
            return ""
        case AssertionError():
            return assertion_text(raised)
        case _ if _is_skip(raised) and not _is_unproven(raised):
            return f"a check is never skipped, it is unproven() or not there: {raised}"
        case CheckError() | pytest.fail.Exception() | pytest.skip.Exception():
            return str(raised)
        case RuntimeError(args=[CommandResult() as result]):  # testinfra's way to say that ssh failed
            return f"expected an answer over SSH, found: {result.stderr}"
    return f"{type(raised).__name__}: {raised}"


def _is_skip(raised: BaseException) -> bool:
    return isinstance(raised, pytest.skip.Exception | pytest.xfail.Exception)


def _is_unproven(raised: BaseException) -> bool:
    return isinstance(raised, pytest.skip.Exception) and isinstance(raised.msg, Reason)


def assertion_text(raised: AssertionError) -> str:
    """Return the text its author gave an assertion, else the first line of pytest's explanation."""
    own, _, _ = str(raised).partition("\nassert ")
    if own.startswith("assert "):
        own = own.partition("\n")[0]
    return own or "the assertion gives no text"


def one_line(text: str) -> str:
    """Return text with every run of white space made one blank, and nothing in it that could steer a terminal."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in " ".join(text.split()))
