"""Where each node of a drawn fabric has its box: rows of switches above the row of hosts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

#: Pixels.
MARGIN = 24
_HEIGHT, _GAP, _LETTER, _SLOT, _PAGE = 26, 12, 7.5, 7, 1600


class Box(NamedTuple):
    """A node's place; `upright` where its label is turned by a quarter, so that many hosts fit side by side."""

    name: str
    label: str
    x: float
    y: float
    width: float
    height: float
    upright: bool

    @property
    def bottom(self) -> float:
        """Lower edge."""
        return self.y + self.height


class Places(NamedTuple):
    """All boxes by name, and the size of what they cover."""

    boxes: dict[str, Box]
    width: float
    bottom: float


def placed(rows: Sequence[Mapping[str, str]], ends: Mapping[str, int], top: float) -> Places:
    """Return the boxes of rows of labels by name, each as wide as its label and its cables' `ends` need.

    Rows of few boxes spread over the whole width; hosts that would make the drawing wider than a page stand upright.
    """
    widths = [
        [max(len(label) * _LETTER + 12, ends.get(name, 0) * _SLOT) for name, label in row.items()] for row in rows
    ]
    gap, upright = _GAP, bool(rows) and _wide(widths[-1], _GAP) > _PAGE
    if upright:
        gap = _GAP // 2
        widths[-1] = [max(18, ends.get(name, 0) * _SLOT) for name in rows[-1]]
    wide = max((_wide(row, gap) for row in widths), default=0.0)
    step, boxes, y = min(max(120, wide / 12), 400), {}, top
    for row, sizes in zip(rows, widths, strict=True):
        turned = upright and row is rows[-1]
        height = max(map(len, row.values())) * _LETTER + 12 if turned else _HEIGHT
        for (name, label), x, size in zip(row.items(), _spread(sizes, wide, gap), sizes, strict=True):
            boxes[name] = Box(name, label, x, y, size, height, turned)
        y += height + step
    return Places(boxes, wide + 2 * MARGIN, max((box.bottom for box in boxes.values()), default=top))


def _wide(sizes: Sequence[float], gap: float) -> float:
    return sum(sizes) + gap * (len(sizes) - 1)


def _spread(sizes: Sequence[float], wide: float, gap: float) -> list[float]:
    """Return where each box of a row begins."""
    step = (wide - sum(sizes)) / (len(sizes) + 1)
    x = float(MARGIN)
    if step < gap:
        step = gap
    else:
        x += step
    starts = []
    for size in sizes:
        starts.append(x)
        x += size + step
    return starts
