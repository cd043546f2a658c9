"""The turn of some hosts: the process that checks them, listened to, and what is known of them at any moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gpufleet.health.child import Child, ChildKilledError
from gpufleet.health.events import Identity, gather
from gpufleet.health.verification import Check, not_run
from gpufleet.inventory.hosts import InventoryHost

_KILLED = "expected the process of the checks to come to its end, found it ended by {}; verify again"


class Turn:
    """Hosts, the process that checks them, and which of their checks have ended."""

    def __init__(self, hosts: Sequence[InventoryHost], child: Child, on_check: Callable[[Check], None]) -> None:
        self._hosts, self._child, self._on_check = hosts, child, on_check
        self._planned: dict[str, set[Identity]] = {}
        self._ended: set[Identity] = set()
        #: An operator stopped the checks: that its process was killed then is no finding.
        self.stopped = False

    def listen(self) -> list[Check]:
        """Return what the checks came to, once the process has ended; raises ProjectError for checks that are wrong."""
        try:
            checks = gather(self._child.events(), self._tell)
        except ChildKilledError as error:
            names = [] if self.stopped else [host.name for host in self._hosts]
            return not_run(names, _KILLED.format(error)).checks
        for check in checks:
            self._planned.setdefault(check.host, set()).add(_identity(check))
        return checks

    def unfinished(self) -> set[str]:
        """Return the names of the hosts of which not every check has ended; asked for after `listen`."""
        planned = {host.name: self._planned.get(host.name) for host in self._hosts}
        return {name for name, checks in planned.items() if checks is None or not checks <= self._ended}

    def _tell(self, check: Check) -> None:
        self._ended.add(_identity(check))
        self._on_check(check)


def _identity(check: Check) -> Identity:
    return check.host, check.role, check.check
