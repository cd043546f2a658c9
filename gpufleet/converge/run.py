"""Run deploys over many hosts: short-lived processes do it, this one listens and believes only what was reported."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import IO

from gpufleet import inventory as inventories
from gpufleet.converge.events import Event
from gpufleet.converge.request import Request
from gpufleet.converge.results import RunResult
from gpufleet.errors import ProjectError
from gpufleet.project import ROOT
from gpufleet.stack.host import overlay

#: Hosts that one process drives without being held up by its one core.
HOSTS_PER_PROCESS = 16


class Process:
    """One wave's process with the hosts it drives."""

    def __init__(self, request: Request) -> None:
        self.hosts = request.hosts
        self.log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `end`, when the process is gone
        paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        self.child = subprocess.Popen(
            [sys.executable, "-m", "gpufleet.converge.wave"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), overlay.VARIABLE: request.inventory},
            # A terminal's Ctrl-C must not reach it: the parent passes the wish on in its own way.
            start_new_session=True,
        )
        self.rest = b""
        self._ask(request)

    def _ask(self, request: Request) -> None:
        if self.child.stdin is not None:
            self.child.stdin.write(request.to_line().encode())
            self.child.stdin.flush()

    def events(self) -> Iterator[Event] | None:
        """What can be read at once, None at the end."""
        data = os.read(self.child.stdout.fileno(), 1 << 16) if self.child.stdout else b""
        if not data:
            return None
        *lines, self.rest = (self.rest + data).split(b"\n")
        return (Event.from_line(line) for line in lines)

    def end(self) -> str:
        """Wait for the process; how it ended, in words, with its own last ones."""
        for stream in (self.child.stdin, self.child.stdout):
            if stream is not None:
                stream.close()
        status = self.child.wait()
        self.log.seek(0)
        words = self.log.read().decode(errors="replace").strip().splitlines()
        self.log.close()
        if status < 0:
            return f"its process ended by {signal.Signals(-status).name}"
        return f"its process ended with exit status {status}" + (
            f" (`{words[-1].strip()}`)" if status and words else ""
        )

    def stop(self) -> None:
        """Pass an operator's wish to stop on: by the channel, where it can wait until the process listens."""
        if self.child.stdin is not None and not self.child.stdin.closed:
            with suppress(BrokenPipeError):
                self.child.stdin.write(b"stop\n")
                self.child.stdin.flush()


def converge(
    inventory: Path,
    deploys: Sequence[Path],
    limit: Sequence[str] = (),
    dry: bool = False,
    on_event: Callable[[Event], None] = lambda event: None,
) -> RunResult:
    """Run deploy files over the hosts of an inventory, each host independent of the others.

    Raises an error with exit code 2, before any connection, where the request is wrong; a host that fails is a result.
    Ctrl-C lets operations under way come to their end and begins no other; a second one does not wait for them.
    """
    check_deploys(deploys)
    loaded = inventories.validate(inventory)
    hosts = inventories.select(loaded, limit)
    return drive(inventory, deploys, hosts, dry=dry, on_event=on_event)


def check_deploys(deploys: Sequence[Path]) -> None:
    """Refuse deploy files that are not there."""
    for deploy in deploys:
        if not deploy.is_file():
            cure = "name a file such as deploys/site.py; nothing was touched"
            raise ProjectError(str(deploy), expected="a deploy file", found="no such file", cure=cure)


def drive(
    inventory: Path,
    deploys: Sequence[Path],
    hosts: Sequence[str],
    *,
    dry: bool,
    on_event: Callable[[Event], None],
) -> RunResult:
    """Run deploy files over hosts of an inventory that was found valid."""
    result, begun = RunResult.expecting(hosts, dry=dry), time.monotonic()
    files = tuple(str(deploy) for deploy in deploys)
    processes = [Process(Request(str(inventory), files, share, dry)) for share in shares(hosts)]

    def apply(event: Event) -> None:
        result.apply(event)
        on_event(event)

    with stopping(processes, result):
        listen(processes, apply, result)
    result.seconds = time.monotonic() - begun
    return result


def shares(hosts: Sequence[str]) -> list[tuple[str, ...]]:
    """Divide hosts over processes: one core each, and no process for a handful of hosts."""
    count = max(1, min(os.cpu_count() or 1, -(-len(hosts) // HOSTS_PER_PROCESS)))
    return [share for number in range(count) if (share := tuple(hosts[number::count]))]


def listen(processes: Sequence[Process], apply: Callable[[Event], None], result: RunResult) -> None:
    """Take events until every process is gone; what none of them ended is failed."""
    with selectors.DefaultSelector() as selector:
        for process in processes:
            selector.register(process.child.stdout or -1, selectors.EVENT_READ, process)
        while selector.get_map():
            for key, _ in selector.select():
                events = key.data.events()
                if events is None:
                    selector.unregister(key.fileobj)
                    for event in result.close(key.data.hosts, key.data.end()):
                        apply(event)
                    continue
                for event in events:
                    apply(event)


@contextmanager
def stopping(processes: Sequence[Process], result: RunResult) -> Iterator[None]:
    """Turn Ctrl-C and SIGTERM into a wish that the processes heed, and leave none behind."""

    def stop(number: int, frame: FrameType | None) -> None:
        result.interrupted = True
        for process in processes:
            process.stop()

    numbers = (signal.SIGINT, signal.SIGTERM) if threading.current_thread() is threading.main_thread() else ()
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for process in processes:
            if process.child.poll() is None:
                process.child.kill()
                process.end()
