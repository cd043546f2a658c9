"""Read one inventory through pyinfra's own loader: the program of a process that `inventory.load` starts.

Importing pyinfra_cli patches threads, sockets and processes of the importing program for gevent, and an inventory is a
program by itself. Neither shall reach the command that asked: the answer goes back through a pipe.
"""

from __future__ import annotations

import contextlib
import logging
import pickle
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, get_type_hints

from pyinfra.api.arguments import all_argument_meta
from pyinfra.api.exceptions import ConnectorDataTypeError
from pyinfra.api.host import Host
from pyinfra.api.state import State
from pyinfra.api.util import raise_if_bad_type
from pyinfra.connectors.base import BaseConnector
from pyinfra.connectors.ssh import SSHConnector
from pyinfra.context import ctx_state
from pyinfra_cli import inventory as pyinfra_inventory
from pyinfra_cli.exceptions import UnexpectedExternalError

from gpufleet.errors import GpufleetError
from gpufleet.inventory.hosts import Inventory, InventoryHost, KnownNames, Opaque, Refusal


class _Warnings(logging.Handler):
    """Keeps pyinfra's warnings: each tells of something written that has no effect."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())


def read(path: Path) -> Inventory:
    """Load an inventory with its group data, as `pyinfra PATH` does in the current directory."""
    lists: dict[str, tuple[str, ...]] = {}
    with _warnings() as warnings, _listing_into(lists), ctx_state.use(State()):
        loaded = pyinfra_inventory.make_inventory_from_files(str(path), cwd=str(Path.cwd()))
    return Inventory(
        path=path,
        hosts={host.name: _record(host, path.resolve().parent) for host in loaded},
        groups={name: tuple(host.name for host in hosts) for name, hosts in loaded.groups.items()},
        lists=lists,
        warnings=tuple(warnings),
        known=KnownNames(
            arguments=tuple(name for name in all_argument_meta if name.startswith("_")),
            connection=tuple(_connection_types(SSHConnector)),
        ),
    )


@contextlib.contextmanager
def _warnings() -> Iterator[list[str]]:
    handler, logger = _Warnings(), logging.getLogger("pyinfra")
    logger.addHandler(handler)
    try:
        yield handler.texts
    finally:
        logger.removeHandler(handler)


@contextlib.contextmanager
def _listing_into(lists: dict[str, tuple[str, ...]]) -> Iterator[None]:
    """Note the groups as written: pyinfra itself keeps no trace of a host written twice."""
    read_groups: Callable[[str], dict[str, Any]] = pyinfra_inventory._get_groups_from_filename

    def noting(filename: str) -> dict[str, Any]:
        groups = read_groups(filename)
        for name, group in groups.items():
            hosts = group[0] if isinstance(group, tuple) else group
            lists[name] = tuple(host[0] if isinstance(host, tuple) else host for host in hosts)
        return groups

    pyinfra_inventory._get_groups_from_filename = noting
    try:
        yield
    finally:
        pyinfra_inventory._get_groups_from_filename = read_groups


def _record(host: Host, folder: Path) -> InventoryHost:
    data: dict[str, Any] = host.data.dict()  # type: ignore[no-untyped-call]  # untyped in pyinfra
    return InventoryHost(
        name=host.name,
        connector=host.connector_cls.__name__.removesuffix("Connector").lower(),
        groups=tuple(host.groups),
        data=data,
        misfits=tuple(_misfits(host, data)),
        folder=folder,
    )


@cache  # evaluating the annotations anew for each host took half of the loading time
def _connection_types(connector: type[BaseConnector]) -> dict[str, Any]:
    return get_type_hints(connector.data_cls)


def _misfits(host: Host, data: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Check connection data by pyinfra's own rule, which otherwise stops a whole run at its first misfit."""
    for name, kind in _connection_types(host.connector_cls).items():
        if name in data:
            try:
                raise_if_bad_type(data[name], kind, ConnectorDataTypeError, "")
            except ConnectorDataTypeError:
                yield name, getattr(kind, "__name__", str(kind)), type(data[name]).__name__


def _refusal(path: Path, error: BaseException) -> Refusal:
    where = str(path)
    if isinstance(error, UnexpectedExternalError):
        error = error.exception
        where = _place(_innermost(error) or where)
    if isinstance(error, GpufleetError):
        return Refusal(error.where, error.expected, error.found, error.cure)
    reason = str(error)
    if isinstance(error, SyntaxError):
        where, reason = _place(f"{error.filename}:{error.lineno}"), error.msg
    found = f"{type(error).__name__}: {reason}"
    return Refusal(where, "an inventory that Python can read", found, "correct the file; nothing was touched")


def _innermost(error: BaseException) -> str | None:
    """Return the innermost line of code that is the operator's rather than a library's."""
    frames = reversed(traceback.extract_tb(error.__traceback__))
    return next((f"{frame.filename}:{frame.lineno}" for frame in frames if _is_ours(frame.filename)), None)


def _is_ours(filename: str) -> bool:
    return "site-packages" not in filename and not filename.startswith((sys.base_prefix, "<"))


def _place(place: str) -> str:
    """Shorten a place below the current directory, as the operator would write it."""
    return place.removeprefix(f"{Path.cwd()}/")


def _portable(inventory: Inventory) -> Inventory:
    """Replace what cannot be pickled, such as functions in group data, by a stand-in that names its type."""
    hosts = {name: replace(host, data=_replaced(host.data)) for name, host in inventory.hosts.items()}
    return Inventory(inventory.path, hosts, inventory.groups, inventory.lists, inventory.warnings, inventory.known)


def _replaced(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _replaced(item) for key, item in value.items()}
    if type(value) in {list, tuple, set}:
        return type(value)(_replaced(item) for item in value)
    return value if _is_portable(value) else Opaque(type(value).__name__)


def _is_portable(value: Any) -> bool:
    try:
        pickle.dumps(value)
    except Exception:  # pickle raises whatever the object's own hooks raise
        return False
    return True


def _answer(path: Path) -> Inventory | Refusal:
    try:
        inventory = read(path)
    except (Exception, SystemExit) as error:  # an inventory is a program: it may raise anything, or exit
        return _refusal(path, error)
    return inventory if _is_portable(inventory) else _portable(inventory)


def main() -> None:
    """Read the file named by the first argument, answer into the pipe of the second; prints go to stderr."""
    with contextlib.redirect_stdout(sys.stderr), Connection(int(sys.argv[2]), readable=False) as pipe:
        pipe.send(_answer(Path(sys.argv[1])))
