"""Put together what the recorder of a pytest process wrote: what was planned, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from gpufleet.errors import ProjectError
from gpufleet.health.outcomes import Outcome
from gpufleet.health.verification import Check

Identity = tuple[str, str, str]


def gather(events: Iterable[dict[str, Any]], on_check: Callable[[Check], None]) -> list[Check]:
    """Return one result per planned check; one that never ended is an error, and the worst of several counts."""
    found: dict[Identity, Check | None] = {}
    for event in events:
        match event:
            case {"kind": "planned", "checks": checks}:
                found |= {(check["host"], check["role"], check["check"]): None for check in checks}
            case {"kind": "broken", "where": where, "message": message}:
                cure = "correct the file"
                expected = "a check module that Python can read"
                raise ProjectError(where, expected=expected, found=message, cure=cure)
            case {"kind": "check", "outcome": outcome, **rest}:
                check = Check(**rest, outcome=Outcome(outcome))
                key = (check.host, check.role, check.check)
                found[key] = worse(found.get(key), check)
                on_check(check)
    return [check or _missing(*key) for key, check in found.items()]


def worse(before: Check | None, check: Check) -> Check:
    """Return the worse of two results of one check: its run, and what setup or teardown says of it."""
    return check if before is None or check.outcome.severity > before.outcome.severity else before


def _missing(host: str, role: str, check: str) -> Check:
    """Return what a check without an end came to; its process ended first, which says nothing about the host."""
    why = "expected an outcome, found none: the checks were interrupted"
    return Check(host, role, check, Outcome.ERROR, why, whole_host=True)
