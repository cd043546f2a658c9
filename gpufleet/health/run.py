"""Run the checks of hosts in child processes and collect what each came to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, TextIO

from gpufleet.errors import ProjectError
from gpufleet.health import targets
from gpufleet.health.events import gather
from gpufleet.health.fleet import packed
from gpufleet.health.verification import Check, Verification
from gpufleet.hosts import InventoryHost
from gpufleet.project import ROOT

__all__ = ["CHECKS", "Check", "Verification", "verify"]

#: Where the checks of the roles are.
CHECKS = ROOT / "tests" / "verify"

#: The checks' own conftest alone is read: those above it belong to the tests of gpufleet itself.
_PYTEST = [sys.executable, "-m", "pytest", "-q", "--tb=no", f"--rootdir={ROOT}", f"--config-file={ROOT}/pyproject.toml"]

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
    modules = targets.modules(checks, roles)
    hosts = targets.load(inventory, limit)
    result = Verification(host.name for host in hosts)
    chosen = [host for host in hosts if any(targets.is_checked(host, role, roles) for role in modules)]
    options = [f"--confcutdir={checks}", *(f"--role={role}" for role in roles), *map(str, modules.values())]
    with ThreadPoolExecutor() as pool:
        runs = pool.map(lambda share: _run(share, options, on_check), shares(chosen))
    for checked in runs:
        result.add(checked)
    return result


def shares(hosts: Sequence[InventoryHost]) -> list[Sequence[InventoryHost]]:
    """Deal the hosts to as many processes as there are cores for, each with enough hosts to be worth it."""
    count = min(os.cpu_count() or 1, -(-len(hosts) // _HOSTS_PER_PROCESS))
    return [hosts[n::count] for n in range(count)]


def _run(hosts: Sequence[InventoryHost], options: Sequence[str], on_check: Callable[[Check], None]) -> list[Check]:
    with (
        tempfile.TemporaryDirectory(prefix="gpufleet-verify-") as scratch,
        Path(scratch, "output").open("w+") as output,
    ):
        handed_over = Path(scratch, "hosts")
        handed_over.write_bytes(packed(hosts))
        with closing(_stream([f"--verify-hosts={handed_over}", *options], output)) as events:
            return gather(events, on_check)


def _stream(options: Sequence[str], output: TextIO) -> Generator[dict[str, Any]]:
    """Run pytest and yield what its recorder writes; results never travel as text for people."""
    reading, writing = os.pipe()
    command = [*_PYTEST, f"--verify-report=/dev/fd/{writing}", *options]
    with subprocess.Popen(command, stdout=output, stderr=output, pass_fds=[writing]) as child:
        os.close(writing)
        any_event = False
        with os.fdopen(reading) as stream:
            for line in stream:
                any_event = True
                yield json.loads(line)
    if not any_event:  # it ended before it knew what to run; later ends show as checks without an outcome
        output.seek(0)
        found = " ".join(output.read().split()) or f"exit status {child.returncode}"
        raise ProjectError("the checks", expected="a run of pytest", found=found, cure="correct the checks")
