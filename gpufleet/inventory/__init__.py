"""Load a pyinfra inventory, select hosts from it, and find every fault in it before anything connects."""

from __future__ import annotations

import multiprocessing
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from multiprocessing.connection import Connection
from pathlib import Path

from gpufleet import roles
from gpufleet.errors import Fault, FaultsFoundError, InventoryError
from gpufleet.inventory import claim_faults, data_faults, host_faults, option_faults, stack_faults
from gpufleet.inventory.hosts import Inventory, InventoryHost, KnownNames, Refusal
from gpufleet.nearest import did_you_mean, nearest

#: Ctrl-C reaches the reader too: it shall end without a traceback, from its first import on.
_READER = (
    "import signal; signal.signal(signal.SIGINT, signal.SIG_DFL); from gpufleet.inventory import loader; loader.main()"
)

__all__ = ["Inventory", "InventoryHost", "KnownNames", "faults", "load", "select", "validate"]


def load(path: Path) -> Inventory:
    """Load an inventory with its group data through pyinfra's own loader, in a process of its own.

    Raises InventoryError for a file that does not exist, does not run, or names no host.
    """
    if not path.is_file():
        raise _no_such_file(path)
    answer = _read(path)
    if isinstance(answer, Refusal):
        raise InventoryError(answer.where, expected=answer.expected, found=answer.found, cure=answer.cure)
    if not answer.hosts:
        cure = 'write a list such as gpu = ["gpu-01", "gpu-02"]'
        raise InventoryError(str(path), expected="at least one host", found="none", cure=cure)
    return answer


def select(inventory: Inventory, limit: Sequence[str] = ()) -> list[str]:
    """Return the hosts that the limits name, in the inventory's order; without limits all of them.

    As with pyinfra's --limit, each is a group, a host or a glob. One that names no host raises InventoryError.
    """
    groups = {"all": tuple(inventory.hosts), **inventory.groups}
    chosen = {name for pattern in limit for name in _matching(inventory, groups, pattern)}
    return [name for name in inventory.hosts if name in chosen or not limit]


def faults(inventory: Inventory, *, stack: bool = True) -> list[Fault]:
    """Return every fault of every host: names, addresses, data that mean nothing, options of all roles, the stack."""
    known = roles.discover()
    found, sound = host_faults.find(inventory), []
    for host in inventory.hosts.values():
        found += data_faults.find(host, inventory.known, known)
        wrong = option_faults.find(host, known)
        found += wrong
        sound += [] if wrong else [host]
    found += claim_faults.find(sound, known)
    return found + (stack_faults.find(sound) if stack else [])


def validate(path: Path, *, stack: bool = True) -> Inventory:
    """Load an inventory and return it if nothing is wrong with it; raises FaultsFoundError with all faults.

    Without `stack`, what does not fit together is left to the caller.
    """
    inventory = load(path)
    if found := faults(inventory, stack=stack):
        raise FaultsFoundError(str(path), found)
    return inventory


def _read(path: Path) -> Inventory | Refusal:
    receiver, sender = multiprocessing.Pipe(duplex=False)
    command = [sys.executable, "-c", _READER, str(path), str(sender.fileno())]
    with receiver, subprocess.Popen(command, pass_fds=[sender.fileno()], stdin=subprocess.DEVNULL) as reader:
        sender.close()
        return _received(receiver) or _unread(path, reader.wait())


def _received(receiver: Connection) -> Inventory | Refusal | None:
    try:
        answer: Inventory | Refusal = receiver.recv()
    except EOFError:
        return None
    return answer


def _unread(path: Path, status: int) -> Refusal:
    # Ctrl-C reaches the reader and this process, and either may be the first to feel it.
    if status == -signal.SIGINT:
        raise KeyboardInterrupt
    return Refusal(
        str(path),
        "an inventory that Python can read",
        f"its process ended with {status} before it was read",
        "correct the file; nothing was touched",
    )


def _no_such_file(path: Path) -> InventoryError:
    others = [str(other) for other in sorted(path.parent.glob("*.py"))]
    close = nearest(str(path), others)
    return InventoryError(
        str(path),
        expected="an inventory file",
        found="a directory" if path.is_dir() else "no such file",
        cure=f"did you mean {close}?" if close else "name a file such as inventories/metal.py",
    )


def _matching(inventory: Inventory, groups: Mapping[str, Sequence[str]], pattern: str) -> Sequence[str]:
    if pattern in groups:
        return groups[pattern]
    if matches := [name for name in inventory.hosts if fnmatchcase(name, pattern)]:
        return matches
    raise InventoryError(
        str(inventory.path),
        expected="a limit that is a host, a group or a glob matching hosts",
        found=pattern,
        cure=did_you_mean(pattern, groups, "groups", others=inventory.hosts),
    )
