"""Show a verification: a table of hosts and roles on a terminal, plain lines elsewhere, then whatever is not a pass."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gpufleet.health.outcomes import Outcome
from gpufleet.health.verification import Check, Verification, counts

#: Why a host has no checks that somebody did not wait for.
_STOPPED = "the checks were interrupted"

_STYLES = {Outcome.PASS: "green", Outcome.FAIL: "red", Outcome.UNPROVEN: "yellow", Outcome.ERROR: "magenta"}


def show(result: Verification, console: Console) -> None:
    """Print the summary, then one line for each check that did not pass, then the sum."""
    if console.is_terminal:
        console.print(table(result))
    else:
        for line in summary_lines(result):
            console.out(line, highlight=False)
    for check_line in problem_lines(result):
        console.out(check_line, highlight=False)
    console.out(total_line(result), highlight=False)


def table(result: Verification) -> Table:
    """Return hosts by roles, with the number of checks that came to each outcome."""
    grid = Table("host", *result.roles, title=None)
    for host in result.hosts:
        grid.add_row(Text(host), *(_cell(result.of(host, role)) for role in result.roles))
    return grid


def _cell(checks: list[Check]) -> Text:
    parts = [(f"{n} {name}", _STYLES[Outcome(name)]) for name, n in counts(checks).items() if n]
    return Text(", ").join(Text(text, style=style) for text, style in parts)


def summary_lines(result: Verification) -> Iterator[str]:
    """Yield a line for each host and role: `gpu-01 base: 12 pass, 1 fail`."""
    for host in result.hosts:
        for role in result.roles:
            if checks := result.of(host, role):
                yield f"{host} {role}: {describe(counts(checks))}"


def problem_lines(result: Verification) -> Iterator[str]:
    """Yield a line for each check that did not pass; a host that could not be asked at all gets one line."""
    for host, checks in result.hosts.items():
        if not checks:
            stopped = host in result.unfinished
            yield f"{host} not checked: {_STOPPED if stopped else 'its data declare no role that has checks'}"
        silent = [check for check in checks if check.whole_host]
        if silent:
            yield f"{host} error: {silent[0].message} ({_number(silent)} could not run)"
        for check in checks:
            if check.outcome is not Outcome.PASS and not check.whole_host:
                yield f"{host} {check.role} {check.check}: {_word(check)}{check.message}"


def _number(checks: list[Check]) -> str:
    return "1 check" if len(checks) == 1 else f"{len(checks)} checks"


def _word(check: Check) -> str:
    """A failure reads as the assertion's own text; the others say what they are first."""
    return "" if check.outcome is Outcome.FAIL else f"{check.outcome}: "


def total_line(result: Verification) -> str:
    """Return the sum over all hosts."""
    hosts = len(result.hosts)
    return f"{hosts} host{'s' * (hosts != 1)}, {_number(result.checks)}: {describe(counts(result.checks))}"


def describe(numbers: dict[str, int]) -> str:
    """Return counts in words, without those that are nought: `12 pass, 1 fail`."""
    return ", ".join(f"{n} {name}" for name, n in numbers.items() if n) or "none"
