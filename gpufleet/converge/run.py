"""Run deploys over many hosts: short-lived processes do it, this one listens and believes only what was reported."""

from __future__ import annotations

import os
import selectors
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from gpufleet import inventory as inventories
from gpufleet.converge.events import Event
from gpufleet.converge.process import Process
from gpufleet.converge.request import Request
from gpufleet.converge.results import RunResult
from gpufleet.errors import ProjectError
from gpufleet.inventory.hosts import InventoryHost

#: Hosts that one process drives without being held up by its one core.
HOSTS_PER_PROCESS = 16


def converge(
    inventory: Path,
    deploys: Sequence[Path],
    limit: Sequence[str] = (),
    dry: bool = False,
    on_event: Callable[[Event], None] = lambda event: None,
    accept: Callable[[Sequence[InventoryHost]], None] = lambda hosts: None,
) -> RunResult:
    """Run deploy files over the hosts of an inventory, each host independent of the others.

    + inventory: pyinfra inventory file
    + deploys: deploy files, run in this order
    + limit: only these hosts, groups or patterns of names
    + dry: say what would change, and change nothing
    + on_event: called with everything that happens to a host
    + accept: called with the hosts before any connection; what it raises refuses the request

    Raises an error with exit code 2, before any connection, where the request is wrong; a host that fails is a result.
    Ctrl-C lets operations under way come to their end and begins no other; a second one does not wait for them.
    """
    check_deploys(deploys)
    # Its second of imports passes while the inventory is read.
    with Process(str(inventory)) as first:
        loaded = inventories.validate(inventory)
        hosts = inventories.select(loaded, limit)
        accept([loaded.hosts[name] for name in hosts])
        return drive(inventory, deploys, hosts, dry=dry, on_event=on_event, first=first)


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
    first: Process | None = None,
) -> RunResult:
    """Run deploy files over hosts of an inventory that was found valid; `first` is a process that waits for work."""
    result, begun = RunResult.expecting(hosts, dry=dry), time.monotonic()
    files = tuple(str(deploy) for deploy in deploys)
    processes: list[Process] = []
    for share in shares(hosts):
        processes.append(first if first and not processes else Process(str(inventory)))
        processes[-1].ask(Request(str(inventory), files, share, dry))

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
            process.abandon()
