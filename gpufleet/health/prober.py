"""Run the probe on many hosts at once and keep what each answered."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from types import ModuleType

from testinfra.host import Host

from gpufleet.health import diagnosis, ssh
from gpufleet.health.outcomes import CheckError
from gpufleet.health.probe import SCRIPT_LIMIT, SECTION_SECONDS, Probe, Request, Section, longest, parse, script
from gpufleet.inventory.hosts import InventoryHost

#: What a module's PROBE may hold for a section; a function is given the host's record, and so its options.
Asked = str | Request | Callable[[InventoryHost], str | Request]

#: Hosts probed at the same time; each costs an ssh process here.
_AT_ONCE = 32

#: Seconds for connecting, logging in and becoming root; ssh's own limit is for the first of them alone.
_CONNECT_SECONDS = 60

#: Exit status of ssh where it failed itself.
_SSH_FAILED = 255


class Prober:
    """Asks each host once; whoever wants the answer waits for it."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="probe")
        self._answers: dict[str, Future[dict[str, Section]]] = {}

    def start(self, host: Host, record: InventoryHost, modules: Iterable[ModuleType]) -> None:
        """Send the sections of all modules to a host, without waiting; the second call for a host does nothing."""
        if record.name not in self._answers:
            self._answers[record.name] = self._pool.submit(ask, host, record, requests_of(modules, record))

    def answer(self, name: str, module: ModuleType) -> Probe:
        """Return one module's view of what a host answered; raises CheckError where there is none."""
        sections, prefix = self._answers[name].result(), f"{module.__name__}\n"
        own = {key.removeprefix(prefix): section for key, section in sections.items() if key.startswith(prefix)}
        return Probe(own)

    def close(self) -> None:
        """Drop what has not been asked yet and wait for the rest, whose time is limited."""
        self._pool.shutdown(cancel_futures=True)


def requests_of(modules: Iterable[ModuleType], record: InventoryHost) -> dict[str, Request]:
    """Return what a host is asked: the sections of all modules, each under its module's name and its own."""
    return {
        f"{module.__name__}\n{name}": _request(asked, record, seconds_of(module))
        for module in modules
        for name, asked in getattr(module, "PROBE", {}).items()
    }


def _request(asked: Asked, record: InventoryHost, seconds: int) -> Request:
    said = asked(record) if callable(asked) else asked
    return said if isinstance(said, Request) else Request(said, seconds)


def seconds_of(module: ModuleType) -> int:
    """Return how long a section of the module may take that says nothing itself."""
    seconds: int = getattr(module, "PROBE_TIMEOUT", SECTION_SECONDS)
    return seconds


def ask(host: Host, record: InventoryHost, requests: Mapping[str, Request]) -> dict[str, Section]:
    """Run the sections on a host in one command; raises CheckError for the whole host where that is impossible.

    What several modules ask is run once: a host's modules share much, and the script's length is limited.
    """
    first: dict[Request, str] = {}
    for name, request in requests.items():
        first.setdefault(request, name)
    asked = {name: request for request, name in first.items()}
    token = f"probe-{secrets.token_hex(4)}"
    text = script(asked, token)
    if len(text) > SCRIPT_LIMIT:
        raise CheckError(f"expected a probe of at most {SCRIPT_LIMIT} characters, found {len(text)}", whole_host=True)
    try:
        answer = ssh.run(host, text, patience(asked.values()))
    except ssh.OverdueError as error:
        raise CheckError(diagnosis.no_word(error.word, error.seconds), whole_host=True) from None
    if answer.rc == _SSH_FAILED:
        raise CheckError(diagnosis.no_connection(record, answer.stderr), whole_host=True)
    if answer.rc:
        raise CheckError(diagnosis.no_probe(record, answer.rc, answer.stderr), whole_host=True)
    found = parse(answer.stdout.decode("ascii", "replace"), asked, token)
    return {name: replace(found[first[request]], name=name) for name, request in requests.items()}


def patience(asked: Iterable[Request]) -> ssh.Patience:
    """Return how long a host may take: it says a word with each section, and goes on from each within its seconds."""
    seconds = [longest(request) for request in asked]
    further = _CONNECT_SECONDS + max(seconds, default=0)
    return ssh.Patience(_CONNECT_SECONDS, further, further + sum(seconds))
