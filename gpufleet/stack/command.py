"""`gpufleet stack ...`: which software each host gets, why, and whether it fits together."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from gpufleet import inventory as inventories
from gpufleet.errors import FaultsFoundError
from gpufleet.facts.machine import HostMachine, Machine
from gpufleet.inventory import option_faults
from gpufleet.inventory.hosts import InventoryHost
from gpufleet.stack import conflicts, explain, upgrade_report
from gpufleet.stack.declared import DeclaredMachine
from gpufleet.stack.matrix import load
from gpufleet.stack.review import Review
from gpufleet.stack.review import review as reviewed
from gpufleet.stack.upgrade_path import upgrade_path

app = typer.Typer(no_args_is_help=True, help="Which software each host gets, why, and whether it fits together.")

Inventory = Annotated[Path, typer.Argument(help="Inventory file, such as inventories/metal.py.")]
Json = Annotated[bool, typer.Option("--json", help="Write one JSON document to standard output.")]
Facts = Annotated[bool, typer.Option("--facts", help="Ask the hosts what they are, over SSH.")]


@app.command("explain")
def explain_(
    inventory: Inventory,
    host: Annotated[str | None, typer.Argument(help="A host, a group or a glob; without it all hosts.")] = None,
    facts: Facts = False,
    as_json: Json = False,
) -> None:
    """Print what each host gets, line by line, with the reason and the row of the matrix."""
    review = _review(inventory, [host] if host else [], facts=facts)
    if as_json:
        _print_json({"inventory": str(inventory), "hosts": explain.document(review), "not_asked": dict(review.silent)})
    else:
        _print(explain.lines(review))
    raise typer.Exit(1 if review.silent else 0)


@app.command()
def check(
    inventory: Inventory,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse what has reached its end of life, and hosts that say too little.")
    ] = False,
    limit: Annotated[list[str] | None, typer.Option(help="Only these hosts, groups or globs; may be repeated.")] = None,
    facts: Facts = False,
    as_json: Json = False,
) -> None:
    """Hold every host's stack against the matrix; ends with 2 and all conflicts where something does not fit."""
    review = _review(inventory, limit or [], facts=facts, strict=strict)
    if as_json:
        _print_json({"inventory": str(inventory), **conflicts.document(review, strict=strict)})
    else:
        _print(conflicts.lines(review))
    raise typer.Exit(conflicts.exit_code(review, strict=strict))


@app.command("upgrade-path")
def upgrade_path_(  # noqa: PLR0913, PLR0917 - every option is a parameter
    before: Annotated[str, typer.Argument(metavar="FROM", help="Driver branch or exact version, such as 570.")],
    after: Annotated[str, typer.Argument(metavar="TO", help="The one to go to, up or down.")],
    system: Annotated[str, typer.Option("--os", help="Distribution and version.")] = "ubuntu-24.04",
    gpu: Annotated[str, typer.Option(help="Name or PCI device id of the GPUs.")] = "H100 SXM5",
    nvswitches: Annotated[int, typer.Option(help="NVSwitches on the host's own PCI bus.")] = 0,
    nvlink5: Annotated[bool, typer.Option("--nvlink5", help="NVLink5 switches, as HGX B200 has.")] = False,
    arch: Annotated[str, typer.Option(help="Processor architecture.")] = "x86_64",
    overlay: Annotated[Path | None, typer.Option(help="File with rows of your own.")] = None,
    as_json: Json = False,
) -> None:
    """List what must move together between two drivers, which names change, and what needs a reboot."""
    data = {"os": system, "arch": arch, "gpus": {gpu: 1}, "nvswitches": nvswitches, "nvlink5": nvlink5}
    machine = _described(data)
    path = upgrade_path(before, after, machine.hardware, machine.system, load(overlay))
    if as_json:
        _print_json(upgrade_report.document(path, machine))
    else:
        _print(upgrade_report.lines(path, machine))
    raise typer.Exit(upgrade_report.exit_code(path))


def _described(data: dict[str, Any]) -> HostMachine:
    """Return the machine that the options describe; raises FaultsFoundError with all that is wrong with them."""
    host = InventoryHost("", "ssh", (), {DeclaredMachine.key: data})
    if faults := option_faults.find(host, {}):
        raise FaultsFoundError("stack upgrade-path", faults)
    return DeclaredMachine.of(host).machine() or Machine.default()


def _review(inventory: Path, limit: list[str], *, facts: bool, strict: bool = False) -> Review:
    loaded = inventories.validate(inventory, stack=False)
    hosts = [loaded.hosts[name] for name in inventories.select(loaded, limit)]
    answers = None
    if facts:
        from gpufleet.stack.survey import survey  # noqa: PLC0415 - testinfra takes a second to import

        answers = survey(hosts)
    return reviewed(hosts, date.today(), strict=strict, answers=answers)


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo(line)


def _print_json(document: dict[str, Any]) -> None:
    typer.echo(json.dumps(document, indent=2, default=str))
