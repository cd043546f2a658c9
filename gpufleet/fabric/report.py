"""Show what a check found: a table on a terminal, plain lines elsewhere, one document for programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gpufleet.fabric.findings import Report


def show(report: Report, console: Console) -> None:
    """Print the findings, then what was not checked, then the sum."""
    if console.is_terminal and report.findings:
        console.print(table(report))
    else:
        for finding in report.findings:
            console.out(str(finding), highlight=False)
    for line in [*note_lines(report), total_line(report)]:
        console.out(line, highlight=False)


def table(report: Report) -> Table:
    """Return the findings, one a row."""
    grid = Table("finding", "where", "expected", "found", "cure", show_lines=True)
    for finding in report.findings:
        kind = Text(finding.kind, style="red")
        grid.add_row(kind, *map(Text, (finding.where, finding.expected, finding.found, finding.cure)))
    return grid


def note_lines(report: Report) -> Iterator[str]:
    """Yield what could not be judged."""
    return (f"note: {note}" for note in report.notes)


def total_line(report: Report) -> str:
    """Return the sum: `8 hosts, 6 switches, 32 cables planned, 32 links found: no findings`."""
    sizes, count = report.sizes, len(report.findings)
    parts = [_counted(sizes["hosts"], "host"), _counted(sizes["switches"], "switch", "es")]
    planned, built = _counted(sizes["cables"], "cable"), _counted(sizes["links"], "link")
    result = "no findings" if not count else _counted(count, "finding")
    return f"{', '.join(parts)}, {planned} planned, {built} found: {result}"


def _counted(number: int, word: str, plural: str = "s") -> str:
    return f"{number} {word}{'' if number == 1 else plural}"


def document(report: Report) -> dict[str, Any]:
    """Return the same for programs."""
    return {
        "ok": not report.findings,
        "sizes": report.sizes,
        "findings": [asdict(finding) for finding in report.findings],
        "notes": list(report.notes),
    }
