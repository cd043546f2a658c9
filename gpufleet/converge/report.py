"""How a run is shown: one live line for each busy host on a terminal, plain lines elsewhere, a table at the end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from gpufleet.converge.events import Event, HostState, Kind, Outcome
from gpufleet.converge.results import HostResult, RunResult

#: Lines that a screen holds beside other output; and hosts worth a row each in the closing table.
LIVE_LINES, TABLE_ROWS = 20, 40
#: Seconds after which plain output says that an operation is still under way.
PATIENCE = 30.0
STYLES = {HostState.DONE: "green", HostState.FAILED: "red", HostState.UNREACHABLE: "red", HostState.REFUSED: "red"}


class Progress:
    """What each host is doing now, folded from events."""

    def __init__(self) -> None:
        self.begun = time.monotonic()
        self.busy: dict[str, tuple[Event, float]] = {}
        self.ended = 0
        self.changed = 0

    def apply(self, event: Event) -> None:
        """Fold one event."""
        if event.kind is Kind.ENDED:
            self.busy.pop(event.host, None)
            self.ended += 1
        elif event.kind in {Kind.CONNECTING, Kind.PREPARING, Kind.STARTED}:
            self.busy[event.host] = event, time.monotonic()
        self.changed += event.outcome is Outcome.CHANGED

    def __rich__(self) -> Group:
        """The busy hosts, those at work the longest on one thing first."""
        now = time.monotonic()
        rows = Table.grid(padding=(0, 1))
        oldest = sorted(self.busy.items(), key=lambda item: item[1][1])
        for host, (event, since) in oldest[:LIVE_LINES]:
            place = f"{event.number}/{event.total}" if event.total else ""
            what = event.operation or str(event.kind)
            rows.add_row(Text(host, style="bold"), Text(place, style="dim"), Text(what), f"{now - since:.0f} s")
        head = f"{now - self.begun:.0f} s: {self.ended} hosts ended, {len(self.busy)} busy, {self.changed} changes"
        return Group(Text(head, style="cyan"), rows)


class Log(Console):
    """A console for progress: hosts are being changed meanwhile, so that its reader goes away ends it and no more."""

    def on_broken_pipe(self) -> None:
        """Write nothing more; rich's own way ends the program, and takes the report's output with it."""
        self.quiet = True


@contextmanager
def progress(console: Console) -> Iterator[Callable[[Event], None]]:
    """Show events as they come, in the way that suits the console."""
    shown = Progress()
    if console.is_terminal:
        with Live(shown, console=console, refresh_per_second=4, transient=True):
            yield shown.apply
        return
    over = threading.Event()
    reminder = threading.Thread(target=remind, args=(console, shown, over), daemon=True)
    reminder.start()
    try:
        yield lambda event: plain(console, shown, event)
    finally:
        over.set()
        reminder.join()


def plain(console: Console, shown: Progress, event: Event) -> None:
    """Fold an event and write a line for what changed, failed or ended."""
    shown.apply(event)
    with suppress(OSError):  # a log that cannot be written, on a full disk for instance, stops no run
        log(console, shown, event)


def log(console: Console, shown: Progress, event: Event) -> None:
    """Write a line for what changed, failed or ended, or raise OSError."""
    clock = f"{time.monotonic() - shown.begun:6.1f} s"
    if event.kind is Kind.COMPLETED and event.outcome is not Outcome.UNCHANGED:
        say(console, f"{clock}  {event.host}: {event.outcome}: {event.operation}")
    elif event.kind is Kind.ENDED:
        say(console, f"{clock}  {event.host}: {event.state} after {event.seconds:.1f} s")


def remind(console: Console, shown: Progress, over: threading.Event) -> None:
    """Now and then name the operations that take long, so that a silent log is not taken for a dead run."""
    while not over.wait(PATIENCE):
        now = time.monotonic()
        for host, (event, since) in list(shown.busy.items())[:LIVE_LINES]:
            if now - since >= PATIENCE:
                what = event.operation or str(event.kind)
                say(console, f"{now - shown.begun:6.1f} s  {host}: still at {what} ({now - since:.0f} s)")


def say(console: Console, text: str) -> None:
    """Write a line as it is: no markup, no wrapping, no coloring of numbers."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def conclude(console: Console, result: RunResult) -> None:
    """Write the table of hosts, the pending changes of a dry run, every error in full, and the totals."""
    rows = sorted(result.hosts.values(), key=lambda host: host.state is HostState.DONE)
    console.print(table(rows[:TABLE_ROWS], dry=result.dry))
    if len(rows) > TABLE_ROWS:
        say(console, f"and {len(rows) - TABLE_ROWS} more hosts")
    if result.dry:
        for host in result.hosts.values():
            pending(console, host)
    for error in result.failures():
        say(console, error)
    say(console, totals(result))


def table(hosts: list[HostResult], *, dry: bool) -> Table:
    """One row for each host."""
    columns = Table(
        "host", "state", "to change" if dry else "changed", "unchanged", "seconds", box=None, pad_edge=False
    )
    for host in hosts:
        state = Text(str(host.state), style=STYLES.get(host.state or HostState.FAILED, ""))
        columns.add_row(host.name, state, str(host.changed), str(host.unchanged), f"{host.seconds:.1f}")
    return columns


def pending(console: Console, host: HostResult) -> None:
    """Name what a dry run found."""
    for name in host.operations[Outcome.CHANGED]:
        say(console, f"{host.name}: would change: {name}")
    for name in host.operations[Outcome.CONDITIONAL]:
        say(console, f"{host.name}: may change, if operations before it do: {name}")


def totals(result: RunResult) -> str:
    """The run in one line."""
    numbers = result.totals()
    changes = f"{result.changed} {'change' if result.changed == 1 else 'changes'}"
    verb = " pending" if result.dry else ""
    stopped = ", stopped by the operator" if result.interrupted else ""
    return (
        f"{numbers['done']} of {numbers['hosts']} hosts done{stopped}: {changes}{verb}, "
        f"{numbers['unchanged']} operations unchanged, {result.seconds:.1f} s"
    )
