"""Faults between hosts: two of them that declare what only one can have, such as an address."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gpufleet.errors import Fault
from gpufleet.inventory.hosts import InventoryHost
from gpufleet.options import RoleOptions


def find(hosts: Iterable[InventoryHost], roles: Mapping[str, type[RoleOptions]]) -> list[Fault]:
    """Return a fault for every host that claims what an earlier host has; all of them have sound options."""
    claiming = {name: role for name, role in roles.items() if role.claims is not RoleOptions.claims}
    first: dict[tuple[str, str], str] = {}
    faults = []
    for host in hosts:
        for name, role in claiming.items():
            for where, value in role.of(host).claims(host) if name in host.data else ():
                owner = first.setdefault((name, value), host.name)
                if owner != host.name:
                    faults.append(Fault(where, f"{value} is that of {owner} too", "give each host its own", host.name))
    return faults
