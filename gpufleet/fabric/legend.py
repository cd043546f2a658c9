"""What stands around the drawing of a fabric: its title, what red means, and the findings by number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from gpufleet.fabric.boxes import MARGIN
from gpufleet.fabric.findings import Finding

#: Pixels, and findings that are listed: a drawing is no report.
HEIGHT, LINE, LETTER, MOST = 44, 17, 6.6, 60
_RED = "red: not as planned; dashed: planned, and not there; solid: there instead, or as planned and faulty"


def head(title: str, findings: Sequence[Finding]) -> Iterator[str]:
    """Yield the title, and with findings what red means."""
    yield _text(MARGIN + 4, title, "head")
    if findings:
        yield _text(MARGIN + 4 + LINE, _RED, "note")


def below(findings: Sequence[Finding], bottom: float) -> Iterator[str]:
    """Yield the list of findings, each in two lines, below the drawing."""
    for number, line in enumerate(_lines(findings)):
        yield _text(bottom + MARGIN + LINE * (number + 1), line, "note")


def size(findings: Sequence[Finding]) -> tuple[float, float]:
    """Return the width and height that the list of findings needs."""
    lines = list(_lines(findings))
    longest = max(map(len, [*lines, *([_RED] if findings else [])]), default=0)
    return longest * LETTER + 2 * MARGIN, LINE * (len(lines) + 1) + MARGIN if lines else MARGIN


def _lines(findings: Sequence[Finding]) -> Iterator[str]:
    for number, finding in enumerate(findings[:MOST], 1):
        yield f"{number}  {finding.kind}: {finding.where}"
        yield f"\N{EM SPACE}\N{EM SPACE}expected {finding.expected}, found {finding.found}; {finding.cure}"
    if len(findings) > MOST:
        yield f"and {len(findings) - MOST} more: `gpufleet fabric check` lists them"


def _text(y: float, text: str, kind: str) -> str:
    return f'<text class="{kind}" x="{MARGIN}" y="{y:.0f}">{escape(text)}</text>'
