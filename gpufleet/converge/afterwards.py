"""What follows a deploy: the checks of the hosts that came to its end, and the gate for the nodes of all.

By now hosts have changed. So nothing here raises: what goes wrong is an outcome, told beside what was done.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gpufleet.converge.events import HostState
from gpufleet.converge.results import RunResult
from gpufleet.errors import GpufleetError
from gpufleet.health import targets
from gpufleet.health.admission import admit
from gpufleet.health.outcomes import one_line
from gpufleet.health.run import CHECKS, verify_hosts
from gpufleet.health.verification import Verification, not_run
from gpufleet.inventory.hosts import InventoryHost
from gpufleet.inventory.keys import KEYS
from gpufleet.kubernetes import gated as nodes
from gpufleet.kubernetes.gated import Gated
from gpufleet.kubernetes.nodes import is_gated


@dataclass(frozen=True)
class Verified:
    """What followed a deploy: the checks, and what they meant for nodes."""

    checks: Verification | None = None
    gated: Sequence[Gated] = ()

    @property
    def ok(self) -> bool:
        """Whether every check passed that was run, and every node could be changed that had to be."""
        return (self.checks is None or self.checks.ok()) and nodes.ok(self.gated)


def stopped(hosts: Sequence[InventoryHost], result: RunResult, *, gate: bool) -> Verified:
    """Let the gate act after a deploy that an operator stopped, on the nodes of hosts that it left halfway.

    No check is run. A host on which no operation was begun is as it was, and one that came to the end is proved by no
    check and refuted by none: their nodes are left as they are.
    """
    halfway = [host for host in hosts if result.hosts[host.name].halfway]
    return Verified(gated=admit(halfway, Verification(()), {}, halfway=[h.name for h in halfway]) if gate else ())


def verified(hosts: Sequence[InventoryHost], result: RunResult, *, gate: bool) -> Verified:
    """Run the checks of what was deployed, on the hosts that came to the end, and let the gate act on all nodes.

    An operator who stops the checks stops the run.
    """
    reached = [host for host in hosts if result.hosts[host.name].state is HostState.DONE]
    modules = targets.modules(CHECKS)
    # A node is let in by all its checks: that of the key `machine`, which no role deploys, belongs to them.
    keys = KEYS if any(is_gated(host) for host in hosts) else ()
    roles = [role for role in modules if role in result.roles or role in keys]
    checks = _checked(reached, roles) if roles and reached else None
    result.interrupted = checks is not None and checks.interrupted
    if not gate:
        return Verified(checks)
    halfway = [name for name, host in result.hosts.items() if host.state is HostState.FAILED]
    known = checks or Verification(host.name for host in reached)
    return Verified(checks, admit(hosts, known, targets.left_out(hosts, roles, modules), halfway=halfway))


def _checked(hosts: Sequence[InventoryHost], roles: Sequence[str]) -> Verification:
    names = [host.name for host in hosts]
    try:
        return verify_hosts(hosts, roles)
    except KeyboardInterrupt:
        checks = Verification(names)
        checks.interrupted, checks.unfinished = True, set(names)
        return checks
    except Exception as error:
        if isinstance(error, GpufleetError):
            return not_run(names, one_line(str(error)))
        found, cure = f"{type(error).__name__}: {error}", "mend that, and run `gpufleet verify`"
        return not_run(names, one_line(f"expected the checks to run, found {found}; {cure}"))
