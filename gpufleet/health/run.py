"""Run the checks of hosts in child processes and collect what each came to."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import ExitStack
from pathlib import Path

from gpufleet.health import targets
from gpufleet.health.child import Child
from gpufleet.health.turn import Turn
from gpufleet.health.verification import Check, Verification
from gpufleet.interrupts import terminable
from gpufleet.inventory.hosts import InventoryHost
from gpufleet.project import ROOT

__all__ = ["CHECKS", "Check", "Verification", "verify", "verify_hosts"]

#: Where the checks of the roles are.
CHECKS = ROOT / "tests" / "verify"

#: Hosts for which another process is worth its start; below that one process is faster.
_HOSTS_PER_PROCESS = 25


def verify(
    inventory: Path,
    roles: Sequence[str] = (),
    limit: Sequence[str] = (),
    *,
    checks: Path = CHECKS,
    on_check: Callable[[Check], None] = lambda check: None,
) -> Verification:
    """Check hosts against what the inventory declares; raises GpufleetError where the request is wrong.

    + inventory: pyinfra inventory file
    + roles: check these roles only, on every host; without it every host is checked for the roles in its data
    + limit: only these hosts, groups or patterns of names
    + checks: directory of the check modules
    + on_check: called with every outcome as it comes, from several threads
    """
    targets.modules(checks, roles)  # refuses a wrong role before the inventory is read
    return verify_hosts(targets.load(inventory, limit), roles, checks=checks, on_check=on_check)


def verify_hosts(
    hosts: Sequence[InventoryHost],
    roles: Sequence[str] = (),
    *,
    checks: Path = CHECKS,
    on_check: Callable[[Check], None] = lambda check: None,
) -> Verification:
    """Check hosts that have been read already; the parameters are those of `verify`.

    Ctrl-C and SIGTERM end the checks: what has been found is returned, and says that it was interrupted.
    """
    modules = targets.modules(checks, roles)
    result = Verification(host.name for host in hosts)
    chosen = [host for host in hosts if any(targets.is_checked(host, role, roles) for role in modules)]
    options = [f"--confcutdir={checks}", *(f"--role={role}" for role in roles), *map(str, modules.values())]
    # In this order: leaving on an error ends the processes first, so that the threads that listen to them end too.
    with terminable(), ThreadPoolExecutor() as pool, ExitStack() as stack:
        turns = [Turn(share, stack.enter_context(Child(share, options)), on_check) for share in shares(chosen)]
        listening = {pool.submit(turn.listen): turn for turn in turns}
        try:
            for future in wait(listening, return_when=FIRST_EXCEPTION).done:
                future.result()
        except KeyboardInterrupt:
            result.interrupted = True
            for turn in turns:
                turn.stopped = True
            stack.close()
        for future, turn in listening.items():
            result.add(future.result())
            result.unfinished |= turn.unfinished() if result.interrupted else set()
    return result


def shares(hosts: Sequence[InventoryHost]) -> list[Sequence[InventoryHost]]:
    """Deal the hosts to as many processes as there are cores for, each with enough hosts to be worth it."""
    count = min(os.cpu_count() or 1, -(-len(hosts) // _HOSTS_PER_PROCESS))
    return [hosts[n::count] for n in range(count)]
