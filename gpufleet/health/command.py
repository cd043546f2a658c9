"""`gpufleet verify`: check hosts against what their inventory declares."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.status import Status

from gpufleet.errors import ProjectError
from gpufleet.health import junit, report
from gpufleet.health.run import CHECKS
from gpufleet.health.run import verify as run_checks
from gpufleet.health.verification import Check, Verification


def verify(
    inventory: Annotated[Path, typer.Argument(help="Inventory file, such as inventories/lab.py.")],
    role: Annotated[
        list[str] | None, typer.Option(help="Check this role only, whatever the data declare; may be repeated.")
    ] = None,
    limit: Annotated[list[str] | None, typer.Option(help="Only these hosts, groups or globs; may be repeated.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of the report.")] = False,
    junit_file: Annotated[Path | None, typer.Option("--junit", help="Also write JUnit's XML to this file.")] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="End with 1 for what is unproven or unchecked, too.")
    ] = False,
    checks: Annotated[Path, typer.Option(hidden=True, help="Directory of the check modules.")] = CHECKS,
) -> None:
    """Check hosts against what their inventory declares, without changing them.

    Ends with 0 when no check failed and every one could run, else with 1. What a host cannot prove is shown and
    counted; with --strict it ends the command with 1 too, and so does a host without any checks.
    """
    if junit_file and not junit_file.parent.is_dir():
        cure = "create the directory"
        raise ProjectError("--junit", expected="a file in a directory", found=str(junit_file), cure=cure)
    result = _with_progress(inventory, role or [], limit or [], checks)
    if junit_file:
        junit.write(result, junit_file)
    if as_json:
        typer.echo(json.dumps(result.document() | {"ok": result.ok(strict=strict)}, indent=2))
    else:
        report.show(result, Console(soft_wrap=True))
    raise typer.Exit(0 if result.ok(strict=strict) else 1)


def _with_progress(inventory: Path, roles: list[str], limit: list[str], checks: Path) -> Verification:
    """Run the checks; a terminal shows how many have ended, anything else stays quiet until the report."""
    ended: list[Check] = []
    with Status("reading the inventory and probing the hosts", console=Console(stderr=True)) as status:

        def on_check(check: Check) -> None:
            ended.append(check)
            status.update(f"{len(ended)} checks, last {check.role} {check.check} on {check.host}")

        return run_checks(inventory, roles, limit, checks=checks, on_check=on_check)
