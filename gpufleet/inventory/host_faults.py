"""Faults of an inventory's hosts: names Kubernetes refuses, hosts written twice, hosts left out, addresses shared."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from gpufleet.errors import Fault
from gpufleet.inventory.hosts import Inventory, InventoryHost

# RFC 1123 as Kubernetes reads it for node names: dot-separated labels of lower-case letters, digits and hyphens.
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_LABEL_LENGTH, _NAME_LENGTH = 63, 253

_SSH_PORT = 22


def find(inventory: Inventory) -> list[Fault]:
    """Return the faults that show in names, lists and addresses of hosts."""
    hosts = inventory.hosts.values()
    return [
        *(Fault(str(inventory.path), text.rstrip("."), "correct it") for text in inventory.warnings),
        *_written_twice(inventory),
        *_left_out(inventory),
        *(fault for host in hosts for fault in _name_faults(host)),
        *_shared_addresses(hosts),
    ]


def _written_twice(inventory: Inventory) -> Iterator[Fault]:
    for group, names in inventory.lists.items():
        for name, times in Counter(names).items():
            if times > 1:
                yield Fault(f"group {group}", f"host written {times} times", "keep one of them", name)


def _left_out(inventory: Inventory) -> Iterator[Fault]:
    """Where `all` is written out, pyinfra silently drops hosts that only other groups list."""
    everyone = set(inventory.lists.get("all", ()))
    for group, names in inventory.lists.items():
        for name in dict.fromkeys(names):
            if everyone and name not in everyone:
                yield Fault(f"group {group}", "host not in the list all: pyinfra drops it", "add it to all", name)


def _name_faults(host: InventoryHost) -> Iterator[Fault]:
    name = host.name.removeprefix("@ssh/")
    if host.connector != "ssh":
        return
    if len(name) > _NAME_LENGTH:
        yield Fault("name", f"expected at most {_NAME_LENGTH} characters, found {len(name)}", "shorten it", host.name)
    for label in name.split("."):
        if len(label) > _LABEL_LENGTH:
            problem = f"expected at most {_LABEL_LENGTH} characters between dots, found {len(label)}"
            yield Fault("name", problem, "shorten it", host.name)
        elif not _LABEL.fullmatch(label):
            problem = f"expected lower-case letters, digits and inner hyphens (RFC 1123), found {label!r}"
            yield Fault("name", problem, "rename the host: Kubernetes refuses this name for a node", host.name)


def _shared_addresses(hosts: Iterable[InventoryHost]) -> Iterator[Fault]:
    """Two hosts behind different ssh configurations may share an address: those may lead through other bastions."""
    first: dict[tuple[str, ...], str] = {}
    for host in hosts:
        if host.connector == "ssh":
            address = str(host.data.get("ssh_hostname") or host.name.removeprefix("@ssh/"))
            port = str(host.data.get("ssh_port") or _SSH_PORT)
            owner = first.setdefault((address, port, str(host.data.get("ssh_config_file"))), host.name)
            if owner != host.name:
                problem = f"address {address} port {port} is that of {owner} too"
                yield Fault("ssh_hostname", problem, "give each host its own", host.name)
