"""The fabric as a drawing: core above spines above leaves above hosts, what is wrong in red."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from xml.sax.saxutils import escape

from gpufleet.fabric.findings import Finding
from gpufleet.fabric.plan import Plan, host_of

_BOX_HEIGHT, _BETWEEN_ROWS, _MARGIN, _GAP, _LETTER, _SLOT = 26, 150, 24, 12, 7.5, 7
_STYLE = (
    "text{font:12px sans-serif;text-anchor:middle} rect{fill:#eef2f7;stroke:#51627a}"
    " line{stroke:#9aa7b8;stroke-width:1} rect.bad{fill:#ffe3e3}"
    " .bad{stroke:#d40000;stroke-width:2.5} .gone{stroke-dasharray:6 4}"
)
#: Findings whose planned cable is not there.
_GONE = {"missing", "absent", "swapped", "moved", "wrong rail"}


class _Box(NamedTuple):
    name: str
    x: float
    y: float
    width: float


def svg(plan: Plan, findings: Iterable[Finding] = ()) -> str:
    """Return the plan as SVG; cables that are not as planned are red, and dashed where they are not there."""
    return _Drawing(plan, list(findings)).text()


class _Drawing:
    """One plan with its findings, and where each node's box is."""

    def __init__(self, plan: Plan, findings: list[Finding]) -> None:
        self.plan, self.findings = plan, findings
        rows = self._rows()
        self.level = {name: level for level, row in enumerate(rows) for name in row}
        self.slots = self._slots()
        self.boxes, self.width, self.height = _placed(rows, Counter(box for box, _, _ in self.slots))
        self.crowd = Counter((box, lower) for box, lower, _ in self.slots)

    def text(self) -> str:
        size = f'width="{self.width:.0f}" height="{self.height:.0f}" viewBox="0 0 {self.width:.0f} {self.height:.0f}"'
        title = f"Fabric of {len(self.plan.hosts)} hosts and {len(self.plan.switches)} switches"
        head = f'<svg xmlns="http://www.w3.org/2000/svg" {size}>\n<title>{title}</title><style>{_STYLE}</style>'
        return "\n".join([head, *self._cables(), *self._boxes(), "</svg>", ""])

    def _rows(self) -> list[list[str]]:
        strangers = {self._box(end) for finding in self.findings for pair in finding.built for end in pair}
        planned = self.plan.switches
        rows = [[name for name, row in planned.items() if row.role == role] for role in ("core", "spine", "leaf")]
        lowest = [*self.plan.hosts, *sorted(strangers - {*planned, *self.plan.hosts})]
        return [row for row in [*rows, lowest] if row]

    def _slots(self) -> dict[tuple[str, bool, str], int]:
        """Number the ends at each side of each box, so that parallel cables do not hide each other."""
        pairs = [(str(cable.a), str(cable.b)) for cable in self.plan.cables]
        pairs += [pair for finding in self.findings for pair in finding.built]
        slots: dict[tuple[str, bool, str], int] = {}
        crowd: Counter[tuple[str, bool]] = Counter()
        for upper, lower in map(self._stacked, pairs):
            for end, is_upper in ((upper, True), (lower, False)):
                key = (self._box(end), is_upper, end)
                if key not in slots:
                    slots[key] = crowd[key[:2]]
                    crowd[key[:2]] += 1
        return slots

    def _stacked(self, pair: tuple[str, str]) -> tuple[str, str]:
        a, b = pair
        return (a, b) if self.level[self._box(a)] <= self.level[self._box(b)] else (b, a)

    def _x(self, end: str, is_upper: bool) -> float:
        box = self.boxes[self._box(end)]
        slot, crowd = self.slots[box.name, is_upper, end], self.crowd[box.name, is_upper]
        return box.x + box.width * (slot + 1) / (crowd + 1)

    def _box(self, end: str) -> str:
        """Return the box of a port: the switch, or the host of the device."""
        node = end.rpartition("/")[0]
        return node if node in self.plan.switches else host_of(node)

    def _cables(self) -> Iterator[str]:
        bad = {pair: finding for finding in self.findings for pair in finding.planned}
        red = []
        for cable in self.plan.cables:
            a, b = str(cable.a), str(cable.b)
            finding = bad.get((a, b)) or bad.get((b, a))
            if finding is None:
                yield self._line(a, b, "", str(cable))
            else:
                red.append(self._line(a, b, "bad gone" if finding.kind in _GONE else "bad", str(finding)))
        yield from red
        yield from (self._line(a, b, "bad", str(finding)) for finding in self.findings for a, b in finding.built)

    def _line(self, a: str, b: str, kind: str, title: str) -> str:
        upper, lower = self._stacked((a, b))
        start = f'x1="{self._x(upper, True):.0f}" y1="{self.boxes[self._box(upper)].y + _BOX_HEIGHT:.0f}"'
        end = f'x2="{self._x(lower, False):.0f}" y2="{self.boxes[self._box(lower)].y:.0f}"'
        return f"<line {start} {end}{_class(kind)}><title>{escape(title)}</title></line>"

    def _boxes(self) -> Iterator[str]:
        whole = {self._box(f"{node}/0"): finding for finding in self.findings for node in finding.nodes}
        for name, x, y, width in self.boxes.values():
            finding = whole.get(name)
            title = f"<title>{escape(str(finding))}</title>" if finding else ""
            place = f'x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{_BOX_HEIGHT}" rx="4"'
            label = f'<text x="{x + width / 2:.0f}" y="{y + 17:.0f}">{escape(name)}</text>'
            yield f"<g><rect {place}{_class('bad' if finding else '')}/>{label}{title}</g>"


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""


def _placed(rows: list[list[str]], ends: Counter[str]) -> tuple[dict[str, _Box], float, float]:
    """Return each node's box, and the size of the whole; rows of few boxes spread over the whole width."""
    widths = [[max(len(name) * _LETTER + 12, ends[name] * _SLOT) for name in row] for row in rows]
    wide = max((sum(row) + _GAP * (len(row) - 1) for row in widths), default=0.0)
    boxes = {}
    for level, (names, sizes) in enumerate(zip(rows, widths, strict=True)):
        step = (wide - sum(sizes)) / (len(names) + 1)
        gap, x = (_GAP, _MARGIN) if step < _GAP else (step, _MARGIN + step)
        for name, size in zip(names, sizes, strict=True):
            boxes[name] = _Box(name, x, _MARGIN + level * _BETWEEN_ROWS, size)
            x += size + gap
    return boxes, wide + 2 * _MARGIN, 2 * _MARGIN + _BOX_HEIGHT + max(len(rows) - 1, 0) * _BETWEEN_ROWS
