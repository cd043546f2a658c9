"""Results of a run, folded from its events: pure, so that every case is a row of a table in the tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from gpufleet.converge import messages
from gpufleet.converge.events import Event, HostState, Kind, Outcome


@dataclass
class HostResult:
    """What a run did to one host."""

    name: str
    #: None until the host's last event has come.
    state: HostState | None = None
    #: Names of the operations by outcome, in the order they were reached.
    operations: dict[Outcome, list[str]] = field(default_factory=lambda: {outcome: [] for outcome in Outcome})
    #: What is going on now, for progress: an operation's name, or a phase.
    current: str = "waiting"
    number: int = 0
    total: int = 0
    error: str = ""
    seconds: float = 0.0

    @property
    def changed(self) -> int:
        """How many operations changed the host, or in a dry run would for certain."""
        return len(self.operations[Outcome.CHANGED])

    @property
    def unchanged(self) -> int:
        """How many operations found nothing to do."""
        return len(self.operations[Outcome.UNCHANGED])

    @property
    def halfway(self) -> bool:
        """Whether an operation was begun here, and the host did not come to the end."""
        return self.number > 0 and self.state is not HostState.DONE

    @property
    def conditional(self) -> int:
        """In a dry run, how many operations depend on what others will do."""
        return len(self.operations[Outcome.CONDITIONAL])

    def as_dict(self) -> dict[str, Any]:
        """The host's part of the JSON report."""
        failed = self.operations[Outcome.FAILED]
        return {
            "state": str(self.state),
            "changed": self.changed,
            "unchanged": self.unchanged,
            "conditional": self.conditional,
            "changed_operations": self.operations[Outcome.CHANGED],
            "failed_operation": failed[-1] if failed else None,
            "error": self.error or None,
            "seconds": round(self.seconds, 1),
        }


@dataclass
class RunResult:
    """What a run did to all its hosts."""

    hosts: dict[str, HostResult]
    dry: bool = False
    #: An operator stopped the run.
    interrupted: bool = False
    roles: set[str] = field(default_factory=set)
    seconds: float = 0.0

    @classmethod
    def expecting(cls, hosts: Iterable[str], *, dry: bool = False) -> RunResult:
        """The result of a run that has not begun."""
        return cls({name: HostResult(name) for name in hosts}, dry=dry)

    def apply(self, event: Event) -> None:
        """Fold one event into the result."""
        if event.kind is Kind.ROLES:
            self.roles.update(event.names)
        elif host := self.hosts.get(event.host):
            APPLY[event.kind](host, event)

    def close(self, hosts: Iterable[str], cause: str) -> list[Event]:
        """The last events of hosts without one: their wave's process is gone, and what it did is not known."""
        open_hosts = [host for name in hosts if (host := self.hosts[name]).state is None]
        return [
            Event(Kind.ENDED, host.name, state=HostState.FAILED, error=messages.lost(host.name, cause, host.current))
            for host in open_hosts
        ]

    @property
    def changed(self) -> int:
        """Operations that changed something, over all hosts."""
        return sum(host.changed for host in self.hosts.values())

    @property
    def operations(self) -> int:
        """Operations that were reached, over all hosts."""
        return sum(len(names) for host in self.hosts.values() for names in host.operations.values())

    def done(self) -> list[str]:
        """Names of the hosts that came to the end."""
        return [host.name for host in self.hosts.values() if host.state is HostState.DONE]

    def failures(self) -> list[str]:
        """One text for each host that did not come to the end."""
        return [host.error for host in self.hosts.values() if host.state is not HostState.DONE]

    def exit_code(self) -> int:
        """0 all hosts done, 1 some host is not, 3 stopped by an operator."""
        if self.interrupted:
            return 3
        return 1 if self.failures() else 0

    def totals(self) -> dict[str, Any]:
        """The whole run in numbers."""
        states = {str(state): 0 for state in HostState}
        for host in self.hosts.values():
            states[str(host.state)] += 1
        unchanged = sum(host.unchanged for host in self.hosts.values())
        conditional = sum(host.conditional for host in self.hosts.values())
        return {
            "hosts": len(self.hosts),
            **states,
            "operations": self.operations,
            "changed": self.changed,
            "unchanged": unchanged,
            "conditional": conditional,
            "seconds": round(self.seconds, 1),
        }


def _started(host: HostResult, event: Event) -> None:
    host.current, host.number, host.total = event.operation, event.number, event.total


def _completed(host: HostResult, event: Event) -> None:
    if event.outcome is not None:
        host.operations[event.outcome].append(event.operation)


def _phase(host: HostResult, event: Event) -> None:
    host.current = str(event.kind)


def _ended(host: HostResult, event: Event) -> None:
    host.state, host.error, host.seconds = event.state, event.error, event.seconds


APPLY: dict[Kind, Callable[[HostResult, Event], None]] = {
    Kind.CONNECTING: _phase,
    Kind.PREPARING: _phase,
    Kind.STARTED: _started,
    Kind.COMPLETED: _completed,
    Kind.PLANNED: _completed,
    Kind.ENDED: _ended,
}
