"""Faults of a host's data by name: roles that do not exist, and misspelt names that pyinfra would ignore in silence."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from gpufleet.errors import Fault
from gpufleet.inventory.hosts import InventoryHost, KnownNames
from gpufleet.inventory.keys import KEYS
from gpufleet.nearest import did_you_mean, nearest


def find(host: InventoryHost, known: KnownNames, roles: Collection[str]) -> list[Fault]:
    """Return the faults in the names of one host's data, and in the types of its connection data."""
    misfits = [
        Fault(name, f"expected {expected}, found {found}", "correct its type", host.name)
        for name, expected, found in host.misfits
    ]
    return [*misfits, *_unknown_names(host, known, roles)]


def _unknown_names(host: InventoryHost, known: KnownNames, roles: Collection[str]) -> Iterator[Fault]:
    """Names of single values are the operator's own unless they look like one of pyinfra's."""
    for name, value in host.data.items():
        if name in roles or name in KEYS or name in known.arguments or name in known.connection:
            continue
        if name.startswith(("_", "ssh_")):
            names = known.arguments if name.startswith("_") else known.connection
            if close := nearest(name, names):
                kind = "global argument" if name.startswith("_") else "connection data"
                yield Fault(name, f"unknown {kind}", f"did you mean {close}?", host.name)
        elif isinstance(value, dict):
            close = nearest(name, [*roles, *KEYS])
            kind = "unknown key" if close in KEYS else "unknown role"
            yield Fault(
                name, kind, f"did you mean {close}?" if close else did_you_mean(name, roles, "roles"), host.name
            )
