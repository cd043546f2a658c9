"""`gpufleet lab ...`: the lab from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from gpufleet.errors import LabError
from gpufleet.lab import faults, prerequisites, status
from gpufleet.lab import image as images_
from gpufleet.lab.fabric.wanted import WORDS
from gpufleet.lab.hosts import HostSpec
from gpufleet.lab.lab import DEFAULT_HOSTS, Lab

app = typer.Typer(no_args_is_help=True, help="Container hosts that behave like machines, with emulated GPUs.")

LabName = Annotated[str, typer.Option("--lab", envvar="GPUFLEET_LAB", help="Name of the lab.")]
HostName = Annotated[str, typer.Argument(metavar="HOST", help="Name of a host of the lab.")]


@app.command()
def prepare() -> None:
    """Install what the lab needs and start a Docker daemon where none answers; the daemon stays."""
    prerequisites.ensure(typer.echo)


@app.command()
def up(
    hosts: Annotated[
        list[str] | None, typer.Argument(metavar="NAME=OS/PROFILE", help=f"Default: {' '.join(DEFAULT_HOSTS)}")
    ] = None,
    lab: LabName = "lab",
    image: Annotated[
        list[str] | None, typer.Option(metavar="OS=REF", help="Start from a ready image, such as debian-12=debian:12.")
    ] = None,
    fabric: Annotated[
        Path | None, typer.Option(metavar="FABRIC.yaml", help="Simulate the InfiniBand fabric of this plan.")
    ] = None,
    kubernetes: Annotated[bool, typer.Option("--kubernetes", help="Have a real control plane beside them.")] = False,
    older_kubernetes: Annotated[
        bool, typer.Option("--older-kubernetes", help="That, and packages of an older minor for nodes.")
    ] = False,
) -> None:
    """Make the lab, or what is missing of it."""
    console = Console()
    specs = [HostSpec.parse(text) for text in hosts or []]
    Lab.up(
        lab,
        specs,
        images(image or []),
        say=lambda text: console.print(text, highlight=False, markup=False, soft_wrap=True),
        fabric=fabric,
        kubernetes=kubernetes,
        older_kubernetes=older_kubernetes,
    )


@app.command()
def down(
    lab: LabName = "lab",
    purge_images: Annotated[bool, typer.Option(help="Remove the images of all labs, too.")] = False,
) -> None:
    """Remove the lab: containers, network, process and state. Images and the package cache stay."""
    Lab.remove(lab)
    if purge_images:
        images_.purge()


@app.command("status")
def show(
    lab: LabName = "lab",
    as_json: Annotated[bool, typer.Option("--json", help="Write one JSON document to standard output.")] = False,
) -> None:
    """Show the lab's hosts: whether they run, their kernel, and the faults they have."""
    rows = status.rows(Lab.load(lab))
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    table = Table(title=f"lab {lab}")
    for title in ("host", "os", "profile", "address", "state", "kernel", "faults"):
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*(", ".join(value) if isinstance(value, list) else value for value in row.values()))
    Console().print(table)


@app.command()
def reboot(host: HostName, lab: LabName = "lab") -> None:
    """Reboot a host and wait until it is up again."""
    Lab.load(lab).host(host).reboot()


@app.command()
def fault(
    host: HostName,
    kind: Annotated[str, typer.Argument(help=", ".join(faults.KINDS))],
    value: Annotated[str | None, typer.Argument(help="Number of the Xid, index of the GPU, or milliseconds.")] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Take the fault away.")] = False,
    lab: LabName = "lab",
) -> None:
    """Give a host a fault, or take it away."""
    Lab.load(lab).host(host).fault(kind, value, clear=clear)


@app.command("fabric-fault")
def fabric_fault(
    kind: Annotated[str, typer.Argument(help=", ".join(WORDS))],
    words: Annotated[list[str], typer.Argument(help="; ".join(f"{name} {text}" for name, text in WORDS.items()))],
    clear: Annotated[bool, typer.Option("--clear", help="Take the fault away.")] = False,
    lab: LabName = "lab",
) -> None:
    """Give the fabric a fault, or take it away; PORT is leaf-01/3, or 'gpu-01 mlx5_0' in quotes."""
    Lab.load(lab).fabric.fault(kind, *words, clear=clear)


def images(texts: list[str]) -> dict[str, str]:
    """Read OS=REF; raises LabError for another shape."""
    pairs = dict(text.partition("=")[::2] for text in texts)
    for system, reference in pairs.items():
        if not reference:
            raise LabError("option --image", expected="OS=REF", found=f"`{system}`", cure="write debian-12=debian:12")
    return pairs
