"""Events and requests survive the pipe between the processes."""

from __future__ import annotations

import pytest

from gpufleet.converge.events import Event, HostState, Kind, Outcome
from gpufleet.converge.request import Request

EVENTS = {
    "phase": Event(Kind.CONNECTING, "gpu-01"),
    "start": Event(Kind.STARTED, "gpu-01", "Base | Hold the kernel", number=3, total=40),
    "end of an operation": Event(Kind.COMPLETED, "gpu-01", "Base | Hold the kernel", Outcome.CHANGED),
    "end of a host": Event(Kind.ENDED, "gpu-01", state=HostState.FAILED, error="two\nlines, ü", seconds=1.5),
    "roles": Event(Kind.ROLES, names=("base", "nvidia_driver")),
}


@pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS)
def test_an_event_is_one_line_and_comes_back_equal(event: Event) -> None:
    line = event.to_line()
    assert line.count("\n") == 1
    assert line.endswith("\n")
    assert Event.from_line(line.encode()) == event


def test_an_event_says_only_what_is_set() -> None:
    assert Event(Kind.CONNECTING, "gpu-01").to_line() == '{"kind": "connecting", "host": "gpu-01"}\n'


def test_a_request_comes_back_equal() -> None:
    request = Request("/fleet/inventory.py", ("/fleet/deploys/site.py",), ("gpu-01", "gpu-02"), dry=True)
    assert Request.from_line(request.to_line()) == request
