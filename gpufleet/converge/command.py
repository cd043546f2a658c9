"""`gpufleet deploy` and `gpufleet plan`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from gpufleet.converge import report
from gpufleet.converge.afterwards import Verified, stopped, verified
from gpufleet.converge.results import RunResult
from gpufleet.converge.run import converge
from gpufleet.health import targets
from gpufleet.health.verification import counts
from gpufleet.interrupts import terminable
from gpufleet.inventory.hosts import InventoryHost
from gpufleet.kubernetes import gated as nodes
from gpufleet.project import ROOT

#: What a deploy runs where no file is named.
SITE = ROOT / "deploys/site.py"

#: What to do about a host that cannot be checked.
_UNCHECKED = "leave it out with --limit, give it a plain name and ssh_hostname, or use --no-verify; nothing was touched"

InventoryArgument = Annotated[Path, typer.Argument(help="Inventory file, such as inventories/lab.py.")]
DeploysArgument = Annotated[list[Path] | None, typer.Argument(help="Deploy files; without any, deploys/site.py.")]
LimitOption = Annotated[list[str] | None, typer.Option(help="Only these hosts, groups or globs; may be repeated.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Write one JSON document to standard output.")]


def deploy(
    inventory: InventoryArgument,
    deploys: DeploysArgument = None,
    limit: LimitOption = None,
    as_json: JsonOption = False,
    no_verify: Annotated[bool, typer.Option("--no-verify", help="Do not run the checks afterwards.")] = False,
    no_gate: Annotated[
        bool, typer.Option("--no-gate", help="Leave the preflight taints and labels of Kubernetes nodes alone.")
    ] = False,
) -> None:
    """Bring hosts to what their inventory declares, and verify those that came to the end.

    Ctrl-C lets the operations under way come to their end, and begins no other. No checks are run then, and the
    preflight taint is put on the nodes of hosts that were left halfway.
    """
    hosts: list[InventoryHost] = []

    def accept(chosen: Sequence[InventoryHost]) -> None:
        hosts.extend(chosen if no_verify else targets.reached_by_ssh(chosen, _UNCHECKED))

    with terminable():
        result, done = converge_with_progress(inventory, deploys or [SITE], limit or [], accept=accept), Verified()
        try:
            if result.interrupted:
                done = stopped(hosts, result, gate=not no_gate)
            elif not no_verify:
                done = verified(hosts, result, gate=not no_gate)
        finally:
            show(result, done, as_json=as_json)
    raise typer.Exit(result.exit_code() or (0 if done.ok else 1))


def plan(
    inventory: InventoryArgument,
    deploys: DeploysArgument = None,
    limit: LimitOption = None,
    as_json: JsonOption = False,
    detailed_exitcode: Annotated[bool, typer.Option(help="Exit with 4 where changes are pending.")] = False,
) -> None:
    """Say what `deploy` would change on each host, and change nothing."""
    result = converge_with_progress(inventory, deploys or [SITE], limit or [], dry=True)
    show(result, Verified(), as_json=as_json)
    pending = 4 if detailed_exitcode and result.changed else 0
    raise typer.Exit(result.exit_code() or pending)


def converge_with_progress(
    inventory: Path,
    deploys: Sequence[Path],
    limit: Sequence[str] = (),
    dry: bool = False,
    accept: Callable[[Sequence[InventoryHost]], None] = lambda hosts: None,
) -> RunResult:
    """Run deploys and show the progress on standard error; the parameters are those of `converge`."""
    with report.progress(report.Log(stderr=True)) as on_event:
        return converge(inventory, deploys, limit, dry, on_event, accept)


def show(result: RunResult, done: Verified, *, as_json: bool) -> None:
    """Write the outcome to standard output."""
    if as_json:
        sys.stdout.write(json.dumps(document(result, done), indent=2) + "\n")
        return
    console, checks = Console(), done.checks
    report.conclude(console, result)
    if checks is not None:
        for name in sorted(checks.unfinished):
            report.say(console, f"{name}: not verified to the end: the checks were interrupted")
        for check in checks.checks:
            if check.message and not (check.whole_host and check.host in checks.unfinished):
                report.say(console, f"{check.host}: {check.role}: {check.check}: {check.outcome}: {check.message}")
        report.say(console, "checks: " + ", ".join(f"{count} {name}" for name, count in counts(checks.checks).items()))
    for line in nodes.lines(done.gated):
        report.say(console, line)


def document(result: RunResult, done: Verified) -> dict[str, Any]:
    """The outcome as one JSON document."""
    return {
        "hosts": {name: host.as_dict() for name, host in result.hosts.items()},
        "totals": {**result.totals(), "dry": result.dry, "interrupted": result.interrupted},
        "verification": done.checks.document() if done.checks else None,
        "nodes": nodes.document(done.gated),
    }
