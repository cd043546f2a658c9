"""rpm's order of versions, `[epoch:]version-release` each; what Debian calls upstream is the version between."""

from __future__ import annotations

import re
from functools import cmp_to_key
from itertools import zip_longest

#: What rpm compares one by one: digits, letters, and the marks of a pre-release (~) and a post-release (^).
_SEGMENT = re.compile(r"\d+|[A-Za-z]+|~|\^")
#: What sorts before the end of a version, and what sorts after it.
_PRE, _POST = "~", "^"


def compare(left: str, right: str) -> int:
    """Return -1, 0 or 1 as rpm would: by epoch, then version, then release."""
    for ours, theirs in zip(_parts(left), _parts(right), strict=True):
        if order := _compare_part(ours, theirs):
            return order
    return 0


#: Key for `sorted` and `max`.
order = cmp_to_key(compare)


def _parts(version: str) -> tuple[str, str, str]:
    epoch, _, rest = version.rpartition(":")
    upstream, _, release = rest.partition("-")
    return epoch or "0", upstream, release


def _compare_part(left: str, right: str) -> int:
    for ours, theirs in zip_longest(_SEGMENT.findall(left), _SEGMENT.findall(right), fillvalue=""):
        if ours != theirs and (order := _compare_segment(ours, theirs)):
            return order
    return 0


def _compare_segment(left: str, right: str) -> int:
    ranks = _rank(left), _rank(right)
    if ranks[0] != ranks[1]:
        return 1 if ranks[0] > ranks[1] else -1
    if left.isdigit():
        return (int(left) > int(right)) - (int(left) < int(right))
    return (left > right) - (left < right)


def _rank(segment: str) -> int:
    """A pre-release is older than the end, the end older than a post-release, letters older than numbers."""
    if segment in (_PRE, "", _POST):
        return (_PRE, "", _POST).index(segment)
    return 4 if segment.isdigit() else 3
