"""`gpufleet modules ...`: build the driver's kernel modules once, and say which builds there are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from gpufleet import hostset
from gpufleet import inventory as inventories
from gpufleet.precompiled import incoming
from gpufleet.precompiled.artifact import Artifact
from gpufleet.precompiled.builds import Build, builds
from gpufleet.precompiled.repository import Directory

app = typer.Typer(no_args_is_help=True, help="Kernel modules of the driver, built once and installed everywhere.")

Repository = Annotated[Path | None, typer.Option(help="Directory of builds; without it one in gpufleet's own state.")]
Json = Annotated[bool, typer.Option("--json", help="Write one JSON document to standard output.")]


@app.command()
def build(
    inventory: Annotated[Path, typer.Argument(help="Inventory file, such as inventories/metal.py.")],
    limit: Annotated[list[str] | None, typer.Option(help="Only these hosts, groups or globs; may be repeated.")] = None,
    repository: Repository = None,
    key: Annotated[Path | None, typer.Option(help="Private SSH key that signs; made where it is missing.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Also build what is there already.")] = False,
    as_json: Json = False,
) -> None:
    """Build what hosts with `modules: precompiled` need: each driver, kernel and system once, on the first such host.

    The host's own driver is not touched: it gets a compiler and headers, builds in a folder of its own, and keeps
    neither the build nor its sources.
    """
    from gpufleet.precompiled.building import candidates, make  # noqa: PLC0415 - testinfra takes a second to import

    place = Directory(repository or incoming.default_repository())
    loaded = inventories.validate(inventory)
    hosts = [loaded.hosts[name] for name in inventories.select(loaded, limit or [])]
    asked, silent = candidates(hosts)
    there = [] if again else [artifact.key for artifact in place.artifacts()]
    wanted = builds(asked, there)
    made, failures = make(inventory, wanted, place, key or incoming.default_key())
    failures += list(silent.values())
    if as_json:
        typer.echo(json.dumps(_document(place, made, failures), indent=2))
    else:
        _say(wanted, made, failures)
    raise typer.Exit(1 if failures else 0)


@app.command("list")
def list_(repository: Repository = None, as_json: Json = False) -> None:
    """List the builds that there are."""
    place = Directory(repository or incoming.default_repository())
    artifacts = list(place.artifacts())
    if as_json:
        typer.echo(json.dumps(_document(place, artifacts, []), indent=2))
        return
    for artifact in artifacts:
        typer.echo(f"{artifact.key}: {artifact.file}, built on {artifact.built_on} at {artifact.built_at}")
    if not artifacts:
        typer.echo(f"no builds in {place.root}; `gpufleet modules build INVENTORY` makes them")


def _say(wanted: Sequence[Build], made: Sequence[Artifact], failures: Sequence[str]) -> None:
    hosts = {build.key: build.hosts for build in wanted}
    for artifact in made:
        fitting = ", ".join(hostset.fold(hosts[artifact.key]))
        typer.echo(f"{artifact.key}: built on {artifact.built_on}, fits {fitting}")
    for failure in failures:
        typer.echo(failure)
    if not wanted and not failures:
        typer.echo("nothing to build: every host with `modules: precompiled` has its build")


def _document(place: Directory, artifacts: Sequence[Artifact], failures: Sequence[str]) -> dict[str, object]:
    return {
        "repository": str(place.root),
        "public_key": place.public_key(),
        "builds": [artifact.model_dump() for artifact in artifacts],
        "failures": list(failures),
    }
