"""`gpufleet deploy` and `gpufleet plan`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from gpufleet.converge import report
from gpufleet.converge.results import RunResult
from gpufleet.converge.run import converge
from gpufleet.health.run import verify
from gpufleet.health.verification import Verification, counts
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
) -> None:
    """Bring hosts to what their inventory declares, and verify those that came to the end."""
    result = converge_with_progress(inventory, deploys or [SITE], limit or [])
    checks = None if no_verify or result.interrupted else verified(inventory, result)
    show(result, checks, as_json=as_json)
    unverified = 1 if checks and not checks.ok() else 0
    raise typer.Exit(result.exit_code() or unverified)


def plan(
    inventory: InventoryArgument,
    deploys: DeploysArgument = None,
    limit: LimitOption = None,
    as_json: JsonOption = False,
    detailed_exitcode: Annotated[bool, typer.Option(help="Exit with 4 where changes are pending.")] = False,
) -> None:
    """Say what `deploy` would change on each host, and change nothing."""
    result = converge_with_progress(inventory, deploys or [SITE], limit or [], dry=True)
    show(result, None, as_json=as_json)
    pending = 4 if detailed_exitcode and result.changed else 0
    raise typer.Exit(result.exit_code() or pending)


def converge_with_progress(
    inventory: Path, deploys: Sequence[Path], limit: Sequence[str] = (), dry: bool = False
) -> RunResult:
    """Run deploys and show the progress on standard error."""
    with report.progress(Console(stderr=True)) as on_event:
        return converge(inventory, deploys, limit, dry, on_event)


def verified(inventory: Path, result: RunResult) -> Verification | None:
    """Run the checks of the roles that were deployed, on the hosts that came to the end."""
    roles = [role for role in sorted(result.roles) if (ROOT / f"tests/verify/test_{role}.py").is_file()]
    return verify(inventory, roles=roles, limit=result.done()) if roles and result.done() else None


def show(result: RunResult, checks: Verification | None, *, as_json: bool) -> None:
    """Write the outcome to standard output."""
    if as_json:
        sys.stdout.write(json.dumps(document(result, checks), indent=2) + "\n")
        return
    console = Console()
    report.conclude(console, result)
    if checks is not None:
        for check in checks.checks:
            if check.message:
                report.say(console, f"{check.host}: {check.role}: {check.check}: {check.outcome}: {check.message}")
        report.say(console, "checks: " + ", ".join(f"{count} {name}" for name, count in counts(checks.checks).items()))


def document(result: RunResult, checks: Verification | None) -> dict[str, Any]:
    """The outcome as one JSON document."""
    return {
        "hosts": {name: host.as_dict() for name, host in result.hosts.items()},
        "totals": {**result.totals(), "dry": result.dry, "interrupted": result.interrupted},
        "verification": checks.document() if checks else None,
    }
