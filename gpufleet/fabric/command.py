"""`gpufleet fabric ...`: the fabric's plan against what is cabled."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from gpufleet import inventory as inventories
from gpufleet.errors import GpufleetError
from gpufleet.fabric import compare, counters, drawing, importing, plan, planes, remembered, report, writing
from gpufleet.fabric.answers import OF_A_FILE, Answers
from gpufleet.fabric.counters import Reading
from gpufleet.fabric.discovered import Discovered, parse
from gpufleet.fabric.findings import Report
from gpufleet.fabric.plan import Plan
from gpufleet.inventory.hosts import Inventory

app = typer.Typer(no_args_is_help=True, help="The InfiniBand fabric: its plan against what is cabled.")

InventoryFile = Annotated[Path, typer.Argument(metavar="INVENTORY", help="Inventory file, with fabric.yaml beside it.")]
_FIRST = "no former reading of the counters: errors per hour are told from the next check on"


@app.command()
def check(
    inventory: InventoryFile,
    saved: Annotated[
        Path | None, typer.Option("--from", help="Saved output of ibnetdiscover, instead of asking a host.")
    ] = None,
    host: Annotated[str | None, typer.Option(help="Ask this host; without it the first of the plan.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of the report.")] = False,
    svg: Annotated[Path | None, typer.Option(help="Also draw the fabric into this file, what is wrong in red.")] = None,
) -> None:
    """Compare the plan with what is cabled; ends with 0 when nothing was found, else with 1."""
    _writable(svg)
    with _without_collector():
        planned, result = _compared(inventories.load(inventory), saved, host)
    if svg:
        svg.write_text(drawing.svg(planned, result.findings), encoding="utf-8")
    if as_json:
        head = {"inventory": str(inventory), "plan": str(planned.path), "from": str(saved) if saved else None}
        typer.echo(json.dumps(head | report.document(result), indent=2))
    else:
        report.show(result, Console(soft_wrap=True))
    raise typer.Exit(1 if result.findings else 0)


@contextmanager
def _without_collector() -> Iterator[None]:
    """Look for no reference cycles meanwhile: among millions of plain objects that takes a third of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _compared(loaded: Inventory, saved: Path | None, host: str | None) -> tuple[Plan, Report]:
    planned = plan.of(loaded)
    if saved and host:
        raise GpufleetError("--host", expected="either --host or --from", found="both", cure="leave one out")
    found, answers = (_read(saved), OF_A_FILE) if saved else _ask(loaded, planned, host)
    return planned, compare.check(planned, found, answers)


@app.command("import")
def import_(
    saved: Annotated[Path, typer.Argument(metavar="FILE", help="Saved output of ibnetdiscover.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write to this file, which must not exist.")] = None,
) -> None:
    """Write a plan that describes what is cabled; what could not be inferred is said."""
    _writable(out)
    if out and out.exists():
        cure = "name a new file, then compare the two"
        raise GpufleetError("--out", expected="a file that does not exist", found=str(out), cure=cure)
    imported = importing.infer(_read(saved))
    for note in imported.notes if out else ():
        typer.echo(f"note: {note}", err=True)
    if out:
        out.write_text(writing.text(imported), encoding="utf-8")
    else:
        typer.echo(writing.text(imported), nl=False)


@app.command()
def draw(
    inventory: InventoryFile,
    svg: Annotated[Path, typer.Argument(metavar="SVG", help="File to draw into.")],
) -> None:
    """Draw the plan as SVG: spines above leaves above hosts."""
    _writable(svg)
    svg.write_text(drawing.svg(plan.of(inventories.load(inventory))), encoding="utf-8")


def _writable(path: Path | None) -> None:
    if path and not path.parent.is_dir():
        raise GpufleetError(str(path), expected="a file in a directory", found="no such directory", cure="create it")


def _read(path: Path) -> Discovered:
    if not path.is_file():
        cure = "save the output of `ibnetdiscover` on a host of the fabric"
        raise GpufleetError(str(path), expected="a saved output of ibnetdiscover", found="no such file", cure=cure)
    with path.open(encoding="utf-8", errors="replace") as lines:
        return parse(lines, str(path))


def _ask(loaded: Inventory, planned: Plan, host: str | None) -> tuple[Discovered, Answers]:
    from gpufleet.fabric.asking import heard_from  # noqa: PLC0415 - testinfra takes a second to import

    name = planes.host_to_ask(planned, host)
    former = remembered.former(planned.path)
    heard = heard_from(loaded.hosts[name], planes.devices_to_ask(planned, name))
    if heard.reading is None:
        return heard.found, heard.answers
    return heard.found, _with_counters(planned, heard.answers, former, heard.reading)


def _with_counters(planned: Plan, answers: Answers, former: Reading | None, now: Reading) -> Answers:
    """Add what the counters did since the former reading, and remember this one."""
    remembered.remember(planned.path, counters.kept(former, now) if former else now)
    if former is None:
        return replace(answers, notes=(*answers.notes, _FIRST))
    return replace(answers, excesses=tuple(counters.excesses(former, now, planned.thresholds)))
