"""`gpufleet verify`: check hosts against what their inventory declares."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.status import Status

from gpufleet.errors import ProjectError
from gpufleet.health import junit, report, targets
from gpufleet.health.admission import admit
from gpufleet.health.run import CHECKS, verify_hosts
from gpufleet.health.verification import Check, Verification
from gpufleet.kubernetes import gated as nodes
from gpufleet.kubernetes.gated import Gated


def verify(  # noqa: PLR0913, PLR0917 - every option is a parameter
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
    no_gate: Annotated[
        bool, typer.Option("--no-gate", help="Leave the preflight taints and labels of Kubernetes nodes alone.")
    ] = False,
    shut_out_all: Annotated[
        bool, typer.Option("--shut-out-all", help="Shut out all nodes that could not be verified, however many.")
    ] = False,
    checks: Annotated[Path, typer.Option(hidden=True, help="Directory of the check modules.")] = CHECKS,
) -> None:
    """Check hosts against what their inventory declares, without changing them.

    Ends with 0 when no check failed and every one could run, else with 1. What a host cannot prove is shown and
    counted; with --strict it ends the command with 1 too, and so does a host without any checks.

    The preflight taint of a host that is a Kubernetes node is lifted when it passed, and put on when it did not; a
    node that could not be changed ends the command with 1.

    Ctrl-C ends the checks. What has been found is written and shown, and nodes of hosts whose checks had not come to
    their end are left as they are.
    """
    if junit_file and not junit_file.parent.is_dir():
        cure = "create the directory"
        raise ProjectError("--junit", expected="a file in a directory", found=str(junit_file), cure=cure)
    targets.modules(checks, role or [])  # refuses a wrong role before anything else
    with Status("reading the inventory and probing the hosts", console=Console(stderr=True)) as status:
        hosts = targets.load(inventory, limit or [])
        result = verify_hosts(hosts, role or [], checks=checks, on_check=_counting(status))
    is_written = _write(result, junit_file)
    gated: Sequence[Gated] = []
    try:
        if not as_json:
            report.show(result, Console(soft_wrap=True))
    finally:  # a reader who has gone away, such as `head`, keeps no node from the gate
        if not no_gate:
            skipped = targets.left_out(hosts, role or [], targets.modules(checks))
            gated = admit(hosts, result, skipped, strict=strict, shut_out_all=shut_out_all)
    ok = result.ok(strict=strict) and nodes.ok(gated) and is_written
    _conclude(result, gated, as_json=as_json, ok=ok)
    if result.interrupted:
        raise KeyboardInterrupt
    raise typer.Exit(0 if ok else 1)


def _write(result: Verification, path: Path | None) -> bool:
    """Write JUnit's file where one is wanted, and tell whether that could be done."""
    try:
        if path:
            junit.write(result, path)
    except OSError as error:
        found, cure = f"{path}: {error.strerror}", "name another file"
        typer.echo(f"gpufleet: --junit: expected a file that can be written, found {found}; {cure}", err=True)
        return False
    return True


def _counting(status: Status) -> Callable[[Check], None]:
    """A terminal shows how many checks have ended, anything else stays quiet until the report."""
    ended = itertools.count(1)
    return lambda check: status.update(f"{next(ended)} checks, last {check.role} {check.check} on {check.host}")


def _conclude(result: Verification, gated: Sequence[Gated], *, as_json: bool, ok: bool) -> None:
    """Write what the report did not say yet: what became of nodes, or all of it as one document."""
    if as_json:
        typer.echo(json.dumps(result.document() | {"ok": ok, "nodes": nodes.document(gated)}, indent=2))
        return
    console = Console(soft_wrap=True)
    for line in nodes.lines(gated):
        console.out(line, highlight=False)
