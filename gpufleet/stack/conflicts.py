"""What does not fit together, of all hosts: a table, and a sentence for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from gpufleet.stack.explain import ASK, TOO_LITTLE, aligned
from gpufleet.stack.review import Review, folded, number


def exit_code(review: Review, *, strict: bool) -> int:
    """Return 2 for conflicts and for a check of nothing, 1 where a host did not answer, else 0.

    Strictly, a host that could not be checked counts as a conflict.
    """
    if any(verdict.level == "error" for verdict in review.verdicts):
        return 2
    if review.silent:
        return 1
    return 2 if not review.checked or (strict and review.unknown) else 0


def lines(review: Review) -> Iterator[str]:
    """Yield the table, the sentences, what was not checked and why, and the sum."""
    found = review.verdicts
    if found:
        table = [
            (folded(names), f"{verdict.level:<7}  {verdict.where}", verdict.row) for verdict, names in found.items()
        ]
        yield from aligned([("hosts", "level    about", "row"), *table])
    for verdict, names in found.items():
        yield f"{folded(names)}: {verdict}"
    if review.unknown:
        yield f"{folded(review.unknown)}: not checked: {TOO_LITTLE}; {ASK}"
    for name, reason in review.silent.items():
        yield f"{name}: not checked: {reason}"
    yield total(review)


def total(review: Review) -> str:
    """Return the sum in one line: `16 hosts checked: no conflict`."""
    levels = Counter[str](verdict.level for verdict in review.verdicts)
    counted = [number(levels[level], noun) for level, noun in _NOUNS.items() if levels[level]]
    fine = "everything fits" if review.checked else "nothing was checked"
    left_out = len(review.unknown) + len(review.silent)
    rest = f"; {number(left_out, 'host')} not checked" if left_out else ""
    return f"{number(review.checked, 'host')} checked: {', '.join(counted) or fine}{rest}"


_NOUNS = {"error": "conflict", "warning": "warning", "note": "note"}


def document(review: Review, *, strict: bool) -> dict[str, Any]:
    """Return the same for programs."""
    return {
        "ok": exit_code(review, strict=strict) == 0,
        "checked": review.checked,
        "verdicts": [{**asdict(verdict), "hosts": names} for verdict, names in review.verdicts.items()],
        "not_checked": {**dict.fromkeys(review.unknown, TOO_LITTLE), **review.silent},
    }
