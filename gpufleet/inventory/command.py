"""The command `gpufleet validate`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from gpufleet import inventory as inventories
from gpufleet import roles
from gpufleet.errors import Fault, FaultsFoundError, InventoryError


def validate(
    inventory: Annotated[Path, typer.Argument(help="Inventory file, such as inventories/metal.py.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print every fault of every host as JSON.")] = False,
) -> None:
    """Check a whole inventory without connecting to any host."""
    if as_json:
        report = _report(inventory)
        typer.echo(json.dumps(report, indent=2))
        raise typer.Exit(FaultsFoundError.exit_code if report["faults"] else 0)
    hosts, known = len(inventories.validate(inventory).hosts), ", ".join(roles.discover())
    typer.echo(f"{inventory}: no faults ({hosts} {'host' if hosts == 1 else 'hosts'}; roles: {known})")


def _report(path: Path) -> dict[str, Any]:
    """Return the same facts for programs; a file that cannot be read is one fault of the inventory itself."""
    try:
        loaded = inventories.load(path)
    except InventoryError as error:
        hosts, faults = 0, [Fault(error.where, f"expected {error.expected}, found {error.found}", error.cure)]
    else:
        hosts, faults = len(loaded.hosts), inventories.faults(loaded)
    return {"inventory": str(path), "hosts": hosts, "roles": [*roles.discover()], "faults": [asdict(f) for f in faults]}
