"""Name the known name that a misspelled one most likely meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from functools import cache


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name closest to `name`, or None where nothing is close; case and hyphens do not count."""
    return _nearest(name, tuple(known))


@cache  # a thousand hosts repeat the same misspelling
def _nearest(name: str, known: tuple[str, ...]) -> str | None:
    by_plain = {_plain(candidate): candidate for candidate in known}
    close = get_close_matches(_plain(name), by_plain, n=1)
    return by_plain[close[0]] if close else None


def did_you_mean(name: str, known: Iterable[str], kind: str, others: Iterable[str] = ()) -> str:
    """Return the cure for an unknown name: the nearest known one, else all of them: `known groups: a, b`.

    Names in `others` may be meant too, but are too many to list.
    """
    names = sorted(known)
    if close := nearest(name, [*names, *others]):
        return f"did you mean {close}?"
    return f"known {kind}: {', '.join(names) or 'none'}"


def _plain(name: str) -> str:
    return name.lower().replace("-", "_")
