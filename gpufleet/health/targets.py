"""Which hosts are checked for which roles: the inventory, narrowed by limits and roles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from gpufleet.errors import InventoryError, ProjectError
from gpufleet.inventory import select, validate
from gpufleet.inventory.hosts import InventoryHost
from gpufleet.nearest import did_you_mean

_PLAIN = "leave it out with --limit, or give it a plain name and ssh_hostname"


def load(path: Path, limit: Sequence[str] = ()) -> list[InventoryHost]:
    """Read a pyinfra inventory, refuse it where it has faults, and return the hosts that the limits name."""
    inventory = validate(path)
    return reached_by_ssh(inventory.hosts[name] for name in select(inventory, limit))


def reached_by_ssh(hosts: Iterable[InventoryHost], cure: str = _PLAIN) -> list[InventoryHost]:
    """Return hosts that can be checked; refuse one with another connector."""
    chosen = list(hosts)
    for host in chosen:
        if host.connector != "ssh":
            found = f"the connector {host.connector}"
            raise InventoryError(host.name, expected="a host that is reached by SSH", found=found, cure=cure)
    return chosen


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


def left_out(hosts: Iterable[InventoryHost], roles: Sequence[str], known: Iterable[str]) -> Mapping[str, Sequence[str]]:
    """Return, by host, which of the known roles its data declare and a request for some roles passes over."""
    names = [role for role in known if roles and role not in roles]
    return {host.name: [role for role in names if role in host.data] for host in hosts}
