"""Which hosts are checked for which roles: the inventory, narrowed by limits and roles."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Sequence
from pathlib import Path

from gpufleet import inventory
from gpufleet.errors import InventoryError, ProjectError
from gpufleet.hosts import InventoryHost
from gpufleet.nearest import did_you_mean


def load(path: Path, limits: Iterable[str] = ()) -> list[InventoryHost]:
    """Read a pyinfra inventory without connecting and return the hosts that the limits name."""
    return limited(list(inventory.load(path).hosts.values()), limits)


def limited(hosts: Sequence[InventoryHost], limits: Iterable[str]) -> list[InventoryHost]:
    """Return the hosts that a limit names: by name, by group, or by a pattern of names."""
    wanted = [name for limit in limits for name in limit.split(",")]
    for name in wanted:
        if not any(_matches(host, name) for host in hosts):
            known = {n for host in hosts for n in (host.name, *host.groups)}
            cure = did_you_mean(name, known, "hosts and groups")
            raise InventoryError("--limit", expected="a host, group or pattern of names", found=name, cure=cure)
    return [host for host in hosts if not wanted or any(_matches(host, name) for name in wanted)]


def _matches(host: InventoryHost, name: str) -> bool:
    return name in host.groups or fnmatch.fnmatchcase(host.name, name)


def modules(checks: Path, roles: Sequence[str] = ()) -> dict[str, Path]:
    """Return the check files by role, `test_base.py` for base; those of the named roles, or all."""
    found = {role_of(path): path for path in sorted(checks.glob("test_*.py"))}
    for role in roles:
        if role not in found:
            cure = did_you_mean(role, found, "roles with checks")
            raise ProjectError("--role", expected="a role with checks", found=role, cure=cure)
    return {role: path for role, path in found.items() if not roles or role in roles}


def role_of(path: Path) -> str:
    """Return the role that a check file is about."""
    return path.stem.removeprefix("test_")


def is_checked(host: InventoryHost, role: str, roles: Sequence[str] = ()) -> bool:
    """Whether a role's checks run on a host: its data declare the role, or the operator names the role."""
    return role in roles if roles else role in host.data
