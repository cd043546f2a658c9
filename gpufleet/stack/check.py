"""Every conflict of a wish at once, the passing of time included."""

from __future__ import annotations

import datetime

from gpufleet.stack.case import Case
from gpufleet.stack.driver_choice import decide
from gpufleet.stack.life import life
from gpufleet.stack.machine import Hardware, System
from gpufleet.stack.matrix import Matrix
from gpufleet.stack.resolve import answer
from gpufleet.stack.verdicts import Verdict
from gpufleet.stack.wish import Wish

_ORDER = {"error": 0, "warning": 1, "note": 2}


def check(  # the day and the severity are the caller's, or no two runs would agree
    hardware: Hardware, system: System, wish: Wish, matrix: Matrix, today: datetime.date, strict: bool
) -> tuple[Verdict, ...]:
    """Return all verdicts, errors first: those of `resolve`, and what has passed the end of its support by this day.

    Where strict, the end of support is an error rather than a warning.
    """
    case = Case(hardware, system, wish, matrix, decide(hardware, system, wish, matrix))
    verdicts = dict.fromkeys((*answer(case).verdicts, *life(case, today, strict)))
    return tuple(sorted(verdicts, key=lambda verdict: _ORDER[verdict.level]))
