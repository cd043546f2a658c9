"""Inventories made in memory, for tests of what is done with one once it is loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gpufleet.inventory.hosts import Inventory, InventoryHost, KnownNames

KNOWN = KnownNames(arguments=("_sudo", "_sudo_user", "_env"), connection=("ssh_hostname", "ssh_port", "ssh_user"))


Hosts = Mapping[str, Mapping[str, Any]]


def inventory_of(hosts: Hosts, groups: Mapping[str, Sequence[str]] | None = None) -> Inventory:
    """An inventory `fleet.py` with these hosts and their merged data; names such as `@local` choose the connector."""
    members = {group: tuple(names) for group, names in (groups or {"gpu": [*hosts]}).items()}
    records = {name: _record(name, data, members) for name, data in hosts.items()}
    return Inventory(Path("fleet.py"), records, members, members, (), KNOWN)


def _record(name: str, data: Mapping[str, Any], groups: Mapping[str, Sequence[str]]) -> InventoryHost:
    connector = name[1:].split("/", maxsplit=1)[0] if name.startswith("@") else "ssh"
    return InventoryHost(name, connector, tuple(group for group in groups if name in groups[group]), data)
