"""The hosts one pytest process checks: who they are, how to reach them, what they answered."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType

import pytest
from testinfra.host import Host

from gpufleet.health import targets
from gpufleet.health.connection import Connections, new_directory
from gpufleet.health.items import host_name, host_of
from gpufleet.health.probe import Probe
from gpufleet.health.prober import Prober
from gpufleet.inventory.hosts import InventoryHost

#: The file in which `gpufleet verify` hands over the hosts it has read.
HOSTS = "hosts"


class Fleet:
    """Hosts with their connections and their probe; `close` ends both."""

    def __init__(self, hosts: Sequence[InventoryHost], roles: Sequence[str], directory: Path | None = None) -> None:
        self.hosts = {host.name: host for host in hosts}
        self.roles = roles
        self.connections = Connections(hosts, directory or new_directory())
        self._prober = Prober()
        self._modules: dict[str, list[ModuleType]] = {}

    @classmethod
    def of(cls, config: pytest.Config) -> Fleet:
        """Read the hosts that the options name, or take what another process has read already."""
        roles: list[str] = config.getoption("role")
        if hasattr(config, "workerinput"):
            return cls(unpacked(config.workerinput["gpufleet_hosts"]), roles)
        if directory := config.getoption("verify_directory"):
            return cls(unpacked((directory / HOSTS).read_bytes()), roles, directory)
        return cls(targets.load(config.getoption("inventory"), config.getoption("limit")), roles)

    def packed(self) -> bytes:
        """Return the hosts for another process of ours."""
        return packed(list(self.hosts.values()))

    def is_check_file(self, path: Path) -> bool:
        """Whether a path is a check module: `test_<role>.py`."""
        return path.suffix == ".py" and path.name.startswith("test_")

    def having(self, role: str) -> list[InventoryHost]:
        """Return the hosts on which a role is checked."""
        if self.roles and role not in self.roles:
            return []
        return [host for host in self.hosts.values() if targets.is_checked(host, role, self.roles)]

    def probe(self, items: Iterable[pytest.Item]) -> None:
        """Start the probe of every host that the checks name, all at once."""
        for item in items:
            self._start(host_of(item), item.session.items)

    def answer(self, host: Host, module: ModuleType, items: Iterable[pytest.Item]) -> Probe:
        """Return what a host answered to the sections of a module, waiting for it."""
        self._start(host, items)
        return self._prober.answer(host.backend.get_hostname(), module)

    def _start(self, host: Host, items: Iterable[pytest.Item]) -> None:
        record = self.hosts[host.backend.get_hostname()]
        if not self._modules:
            self._modules = _modules_by_host(items)
        self._prober.start(host, record, self._modules[record.name])

    def close(self) -> None:
        """End the probes and the connections."""
        self._prober.close()
        self.connections.close()


def _modules_by_host(items: Iterable[pytest.Item]) -> dict[str, list[ModuleType]]:
    modules: dict[str, dict[ModuleType, None]] = {}
    for item in items:
        if isinstance(item, pytest.Function):
            modules.setdefault(host_name(item), {})[item.module] = None
    return {host: list(found) for host, found in modules.items()}


def packed(hosts: Sequence[InventoryHost]) -> bytes:
    """Return hosts as bytes for a process of our own; read nothing else back with `unpacked`."""
    return pickle.dumps(list(hosts))


def unpacked(content: bytes) -> list[InventoryHost]:
    """Return the hosts that `packed` wrote."""
    hosts: list[InventoryHost] = pickle.loads(content)  # noqa: S301 - written by another process of ours
    return hosts
