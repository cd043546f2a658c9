"""Waiting for conditions with a deadline, and working on several hosts at once so that Ctrl-C ends all of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from gpufleet.errors import LabError

T = TypeVar("T")
R = TypeVar("R")

#: Seconds between two looks at a condition.
INTERVAL = 0.2
#: Set while an interrupt is on its way, so that waits in other threads end too.
interrupted = threading.Event()


def until(where: str, expected: str, condition: Callable[[], tuple[bool, str]], seconds: float) -> None:
    """Look at a condition until it holds; it returns whether it does and what it saw.

    Raises LabError with the last thing seen when the deadline passes.
    """
    deadline = time.monotonic() + seconds
    while True:
        holds, seen = condition()
        if holds:
            return
        if time.monotonic() > deadline:
            raise LabError(
                where,
                expected=f"{expected} within {seconds:g} seconds",
                found=seen or "nothing",
                cure=f"look into it with `docker logs {where}`, or start over with `gpufleet lab down`",
            )
        if interrupted.wait(INTERVAL):
            raise KeyboardInterrupt


def each(items: Iterable[T], work: Callable[[T], R]) -> list[R]:
    """Do the work for all items in parallel and return the results in order.

    When one fails the others are finished, then the first failure is raised. An interrupt ends all of them.
    """
    with ThreadPoolExecutor(max_workers=16, thread_name_prefix="lab") as pool:
        futures = [pool.submit(work, item) for item in items]
        try:
            return [future.result() for future in futures]
        except KeyboardInterrupt:
            interrupted.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
        finally:
            pool.shutdown(wait=True)
            interrupted.clear()
