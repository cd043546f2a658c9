"""Write many host names briefly: `gpu-[0001-0040,0042]`."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

_LAST_NUMBER = re.compile(r"(?P<head>.*?)(?P<number>\d+)(?P<tail>\D*)", re.DOTALL)

#: Pieces of a folded list that still read well in one line of text.
_READABLE = 4


def fold(names: Iterable[str]) -> list[str]:
    """Fold names that differ in their last number into ranges; every name is in exactly one piece."""
    plain: list[str] = []
    numbered: dict[tuple[str, str, int], set[int]] = defaultdict(set)
    for name in set(names):
        if match := _LAST_NUMBER.fullmatch(name):
            number = match["number"]
            numbered[match["head"], match["tail"], len(number)].add(int(number))
        else:
            plain.append(name)
    folded = [_piece(head, tail, width, sorted(numbers)) for (head, tail, width), numbers in sorted(numbered.items())]
    return sorted(plain) + folded


def describe(names: Sequence[str]) -> str:
    """Return the folded names, cut short where they do not fold: `137 hosts (a, b, c, ...)`."""
    pieces = fold(names)
    if len(pieces) <= _READABLE:
        return ", ".join(pieces)
    return f"{len(set(names))} hosts ({', '.join(pieces[: _READABLE - 1])}, ...)"


def _piece(head: str, tail: str, width: int, numbers: list[int]) -> str:
    if len(numbers) == 1:
        return f"{head}{numbers[0]:0{width}}{tail}"
    return f"{head}[{','.join(_spans(numbers, width))}]{tail}"


def _spans(numbers: list[int], width: int) -> list[str]:
    spans: list[tuple[int, int]] = []
    for number in numbers:
        if spans and spans[-1][1] == number - 1:
            spans[-1] = (spans[-1][0], number)
        else:
            spans.append((number, number))
    return [f"{a:0{width}}" if a == b else f"{a:0{width}}-{b:0{width}}" for a, b in spans]
