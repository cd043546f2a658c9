"""What a verification found: every check of every host, and what that means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from gpufleet.health.outcomes import Outcome


@dataclass(frozen=True)
class Check:
    """One check of one host and how it ended."""

    host: str
    role: str
    check: str
    outcome: Outcome
    #: Why it did not pass, in one line.
    message: str = ""
    #: The error is no finding of this check: it kept every check of the host from running, or all that were left.
    whole_host: bool = False
    seconds: float = 0.0


class Verification:
    """Checks by host, hosts without any included; nothing is green by being left out."""

    def __init__(self, hosts: Iterable[str], checks: Iterable[Check] = (), began: datetime | None = None) -> None:
        #: When it began: what it found was so then or later. Whoever runs checks makes this before they run.
        self.began = began or datetime.now(UTC)
        self.hosts: dict[str, list[Check]] = {host: [] for host in hosts}
        #: An operator stopped it.
        self.interrupted = False
        #: Hosts whose checks had not come to their end by then.
        self.unfinished: set[str] = set()
        self.add(checks)

    def add(self, checks: Iterable[Check]) -> None:
        """Add checks of known hosts."""
        for check in checks:
            self.hosts[check.host].append(check)

    @property
    def checks(self) -> list[Check]:
        """All checks, in the order of hosts."""
        return [check for checks in self.hosts.values() for check in checks]

    @property
    def roles(self) -> list[str]:
        """Names of the roles that were checked anywhere."""
        return sorted({check.role for check in self.checks})

    @property
    def unchecked(self) -> list[str]:
        """Names of hosts on which nothing was checked."""
        return [host for host, checks in self.hosts.items() if not checks]

    def of(self, host: str, role: str | None = None) -> list[Check]:
        """Return the checks of a host, of one role or of all."""
        return [check for check in self.hosts[host] if role in {None, check.role}]

    def ok(self, *, strict: bool = False) -> bool:
        """Whether checks ran, none failed and none could not run; strict: on every host, and none was unproven."""
        if not self.checks or self.unfinished or (strict and self.unchecked):
            return False
        bad = {Outcome.FAIL, Outcome.ERROR, *([Outcome.UNPROVEN] if strict else [])}
        return not any(check.outcome in bad for check in self.checks)

    def is_green(self, host: str, *, strict: bool = False) -> bool:
        """Whether one host is: checked, and nothing failed or could not run."""
        return host not in self.unfinished and Verification([host], self.hosts[host]).ok(strict=strict)

    def document(self) -> dict[str, Any]:
        """Return everything as plain data, for `--json`."""
        hosts = {
            host: {"green": self.is_green(host), "counts": counts(checks), "checks": [asdict(c) for c in checks]}
            for host, checks in self.hosts.items()
        }
        stopped = {"interrupted": self.interrupted, "unfinished": sorted(self.unfinished)}
        return {"ok": self.ok(), "counts": counts(self.checks), **stopped, "hosts": hosts}


def not_run(hosts: Iterable[str], why: str) -> Verification:
    """Return what is known of hosts whose checks could not even be begun: that, once for each."""
    names = [*hosts]
    return Verification(names, [Check(host, "checks", "run", Outcome.ERROR, why, whole_host=True) for host in names])


def counts(checks: Sequence[Check]) -> dict[str, int]:
    """Return how many checks came to each outcome, none left out."""
    found = Counter(check.outcome for check in checks)
    return {outcome.value: found[outcome] for outcome in Outcome}
