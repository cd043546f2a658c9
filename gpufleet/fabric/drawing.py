"""The fabric as a drawing: core above spines above leaves above hosts, what is wrong in red."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from xml.sax.saxutils import escape

from gpufleet.fabric import legend
from gpufleet.fabric.boxes import Box, placed
from gpufleet.fabric.findings import Finding
from gpufleet.fabric.plan import Plan, host_of

_STYLE = (
    "text{font:12px sans-serif;text-anchor:middle} .head{font-size:15px;text-anchor:start} .note{text-anchor:start}"
    " rect{fill:#eef2f7;stroke:#51627a} rect.page{fill:#fff;stroke:none} rect.bad{fill:#ffe3e3}"
    " line{stroke:#9aa7b8;stroke-width:1} .bad{stroke:#d40000;stroke-width:2.5} .gone{stroke-dasharray:6 4}"
    " circle{fill:#fff;stroke:#d40000} .number{font-size:10px;fill:#d40000}"
)
#: Findings whose planned cable is not there.
_GONE = {"missing", "absent", "swapped", "moved", "wrong rail", "unknown node"}


def svg(plan: Plan, findings: Iterable[Finding] = ()) -> str:
    """Return the plan as SVG; cables that are not as planned are red, and dashed where they are not there."""
    return _Drawing(plan, list(findings)).text()


class _Drawing:
    """One plan with its findings, and where each node's box is."""

    def __init__(self, plan: Plan, findings: list[Finding]) -> None:
        self.plan, self.findings = plan, findings
        self.numbers = {id(finding): number for number, finding in enumerate(self.findings, 1)}
        rows = self._rows()
        self.level = {name: level for level, row in enumerate(rows) for name in row}
        self.slots = self._slots()
        self.crowd = Counter((box, lower) for box, lower, _ in self.slots)
        ends = {box: max(self.crowd[box, True], self.crowd[box, False]) for box in self.level}
        self.boxes, self.width, self.bottom = placed(rows, ends, legend.HEIGHT + legend.LINE)

    def text(self) -> str:
        wide, high = legend.size(self.findings)
        width, height = max(self.width, wide), self.bottom + high
        title = f"Fabric of {len(self.plan.hosts)} hosts and {len(self.plan.switches)} switches"
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}"'
                f' viewBox="0 0 {width:.0f} {height:.0f}">',
                f'<title>{title}</title><style>{_STYLE}</style><rect class="page" width="100%" height="100%"/>',
                *legend.head(title, self.findings),
                *self._cables(),
                *self._boxes(),
                *legend.below(self.findings, self.bottom),
                "</svg>\n",
            ]
        )

    def _rows(self) -> list[dict[str, str]]:
        """Return the labels of each row by name; what the plan does not have stands among the hosts."""
        strangers = {self._box(end) for finding in self.findings for pair in finding.built for end in pair}
        planned = self.plan.switches
        rows = [
            {
                name: f"{name} (rail {row.rail})" if row.rail else name
                for name, row in planned.items()
                if row.role == role
            }
            for role in ("core", "spine", "leaf")
        ]
        lowest = [*self.plan.hosts, *sorted(strangers - {*planned, *self.plan.hosts})]
        return [row for row in [*rows, {name: name for name in lowest}] if row]

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
        lines, numbers = [], []
        for cable in self.plan.cables:
            a, b = str(cable.a), str(cable.b)
            finding = bad.get((a, b)) or bad.get((b, a))
            if finding is None:
                yield self._line(a, b, "", str(cable))
            else:
                lines.append(self._line(a, b, "bad gone" if finding.kind in _GONE else "bad", str(finding)))
                numbers.append(self._number(a, b, 0.82, finding))
        for finding in self.findings:
            lines += [self._line(a, b, "bad", str(finding)) for a, b in finding.built]
            numbers += [self._number(a, b, 0.66, finding) for a, b in finding.built]
        yield from (*lines, *numbers)

    def _number(self, a: str, b: str, part: float, finding: Finding) -> str:
        """Return the number of a finding on its cable, at a part of the way down, where cables lie apart."""
        x1, y1, x2, y2 = self._ends(a, b)
        x, y = f"{x1 + (x2 - x1) * part:.0f}", f"{y1 + (y2 - y1) * part:.0f}"
        text = f'<text class="number" x="{x}" y="{y}" dy="3.5">{self.numbers[id(finding)]}</text>'
        return f'<circle cx="{x}" cy="{y}" r="8"/>{text}'

    def _ends(self, a: str, b: str) -> tuple[float, float, float, float]:
        upper, lower = self._stacked((a, b))
        top, bottom = self.boxes[self._box(upper)].bottom, self.boxes[self._box(lower)].y
        return self._x(upper, True), top, self._x(lower, False), bottom

    def _line(self, a: str, b: str, kind: str, title: str) -> str:
        x1, y1, x2, y2 = self._ends(a, b)
        place = f'x1="{x1:.0f}" y1="{y1:.0f}" x2="{x2:.0f}" y2="{y2:.0f}"'
        return f"<line {place}{_class(kind)}><title>{escape(title)}</title></line>"

    def _boxes(self) -> Iterator[str]:
        whole = {self._box(f"{node}/0"): finding for finding in self.findings for node in finding.nodes}
        for box in self.boxes.values():
            finding = whole.get(box.name)
            title = f"<title>{escape(str(finding))}</title>" if finding else ""
            place = f'x="{box.x:.0f}" y="{box.y:.0f}" width="{box.width:.0f}" height="{box.height:.0f}" rx="4"'
            yield f"<g><rect {place}{_class('bad' if finding else '')}/>{_label(box)}{title}</g>"


def _label(box: Box) -> str:
    x, y = f"{box.x + box.width / 2:.0f}", f"{box.y + box.height / 2:.0f}"
    turned = f' transform="rotate(-90 {x} {y})"' if box.upright else ""
    return f'<text x="{x}" y="{y}" dy="4"{turned}>{escape(box.label)}</text>'


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""
