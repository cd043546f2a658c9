"""`gpufleet stack ...`: which software each host gets, why, and whether it fits together."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from gpufleet import inventory as inventories
from gpufleet.stack import conflicts, explain
from gpufleet.stack.review import Review
from gpufleet.stack.review import review as reviewed

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
    limit: Annotated[list[str] | None, typer.Option(help="Only these hosts or groups; may be repeated.")] = None,
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
