"""Sets of processors as Linux and the kubelet write them: `0-3,64-67`."""

from __future__ import annotations

import re

_RANGE = re.compile(r"(?P<first>[0-9]{1,5})(-(?P<last>[0-9]{1,5}))?")


def members(text: str) -> frozenset[int]:
    """Return the processors of a set; an empty text is the empty set. Raises ValueError for another text."""
    return frozenset(cpu for part in text.strip().split(",") if part for cpu in _range(part, text))


def _range(part: str, text: str) -> range:
    match = _RANGE.fullmatch(part.strip())
    first = int(match["first"]) if match else 1
    last = int(match["last"] or first) if match else 0
    if last < first:
        raise ValueError(f"expected a set of processors such as 0-3,64-67, found {text!r}; write it so")
    return range(first, last + 1)
