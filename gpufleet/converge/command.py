"""`gpufleet deploy` and `gpufleet plan`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from gpufleet.converge import report
from gpufleet.converge.results import RunResult
from gpufleet.converge.run import converge
from gpufleet.health import targets
from gpufleet.health.run import CHECKS, verify_hosts
from gpufleet.health.verification import Verification, counts
from gpufleet.inventory import validate
from gpufleet.inventory.keys import KEYS
from gpufleet.kubernetes import gated as nodes
from gpufleet.kubernetes import gating
from gpufleet.kubernetes.gated import Gated
from gpufleet.kubernetes.nodes import is_gated
from gpufleet.project import ROOT

#: What a deploy runs where no file is named.
SITE = ROOT / "deploys/site.py"

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
    """Bring hosts to what their inventory declares, and verify those that came to the end."""
    result = converge_with_progress(inventory, deploys or [SITE], limit or [])
    done = Verified() if no_verify or result.interrupted else verified(inventory, result, gate=not no_gate)
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
    inventory: Path, deploys: Sequence[Path], limit: Sequence[str] = (), dry: bool = False
) -> RunResult:
    """Run deploys and show the progress on standard error."""
    with report.progress(Console(stderr=True)) as on_event:
        return converge(inventory, deploys, limit, dry, on_event)


@dataclass(frozen=True)
class Verified:
    """What followed a deploy: the checks, and what they meant for nodes."""

    checks: Verification | None = None
    gated: Sequence[Gated] = ()

    @property
    def ok(self) -> bool:
        """Whether every check passed that was run, and every node could be changed that had to be."""
        return (self.checks is None or self.checks.ok()) and nodes.ok(self.gated)


def verified(inventory: Path, result: RunResult, *, gate: bool) -> Verified:
    """Run the checks of what was deployed, on the hosts that came to the end, and let the gate act on all nodes."""
    known, reached = validate(inventory).hosts, result.done()
    hosts = [known[name] for name in result.hosts]
    modules = targets.modules(CHECKS)
    # A node is let in by all its checks: that of the key `machine`, which no role deploys, belongs to them.
    keys = KEYS if any(is_gated(host) for host in hosts) else ()
    roles = [role for role in modules if role in result.roles or role in keys]
    checks = None
    if roles and reached:
        checks = verify_hosts(targets.reached_by_ssh(known[name] for name in reached), roles)
    if not gate:
        return Verified(checks)
    skipped = targets.left_out(hosts, roles, modules)
    return Verified(checks, gating.gate(hosts, checks or Verification(reached), skipped))


def show(result: RunResult, done: Verified, *, as_json: bool) -> None:
    """Write the outcome to standard output."""
    if as_json:
        sys.stdout.write(json.dumps(document(result, done), indent=2) + "\n")
        return
    console, checks = Console(), done.checks
    report.conclude(console, result)
    if checks is not None:
        for check in checks.checks:
            if check.message:
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
