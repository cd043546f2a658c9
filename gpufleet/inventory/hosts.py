"""What an inventory says, as plain data: hosts, their groups, their merged data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class InventoryHost:
    """One host as pyinfra sees it: its data are merged from the host, its groups and `all`."""

    name: str
    connector: str
    groups: tuple[str, ...]
    data: Mapping[str, Any]
    #: Connection data of a type that pyinfra refuses: (name, type expected, type found).
    misfits: tuple[tuple[str, str, str], ...] = ()
    #: Folder of the inventory, beside which the operator's rows of the matrix may lie.
    folder: Path = Path()


@dataclass(frozen=True)
class KnownNames:
    """Names in host data that mean something to pyinfra."""

    #: Global arguments of operations, such as `_sudo`.
    arguments: tuple[str, ...]
    #: Connection data, such as `ssh_hostname`.
    connection: tuple[str, ...]


@dataclass(frozen=True)
class Inventory:
    """A loaded inventory; `groups` holds hosts that exist, `lists` the names as written, also those written twice."""

    path: Path
    hosts: Mapping[str, InventoryHost]
    groups: Mapping[str, tuple[str, ...]]
    lists: Mapping[str, tuple[str, ...]]
    #: Warnings of pyinfra while it read the files: something written there has no effect.
    warnings: tuple[str, ...]
    known: KnownNames


@dataclass(frozen=True)
class Opaque:
    """Stands for a value in host data that cannot leave the process that read the inventory, such as a function."""

    type_name: str

    def __repr__(self) -> str:
        return f"<{self.type_name}>"


@dataclass(frozen=True)
class Refusal:
    """Why an inventory could not be read: the parts of an InventoryError."""

    where: str
    expected: str
    found: str
    cure: str
