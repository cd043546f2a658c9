"""The plan of a fabric: `fabric.yaml` beside the inventory, held against itself and against the inventory."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from gpufleet.errors import Fault, GpufleetError
from gpufleet.fabric import plan_faults, reading, written
from gpufleet.fabric.ports import Cable, Port
from gpufleet.fabric.written import DeviceRow, SwitchRow, Written
from gpufleet.inventory.hosts import Inventory

#: The plan's name beside an inventory that names no other by its key `fabric`.
FILE = "fabric.yaml"
KEY = "fabric"


@dataclass(frozen=True)
class Plan:
    """Switches, devices by `host device`, and every cable once."""

    path: Path
    switches: Mapping[str, SwitchRow]
    devices: Mapping[str, DeviceRow]
    cables: tuple[Cable, ...]
    #: Errors per hour above which a counter is a finding, where the site has a number of its own.
    thresholds: Mapping[str, int]

    @property
    def hosts(self) -> dict[str, list[str]]:
        """Names of the devices of each host, in the plan's order."""
        hosts: dict[str, list[str]] = {}
        for name in self.devices:
            hosts.setdefault(host_of(name), []).append(name)
        return hosts


def host_of(node: str) -> str:
    """Return the host of a device `gpu-01 mlx5_0`; a switch is returned as it is."""
    return node.partition(" ")[0]


def load(path: Path, hosts: Collection[str] | None = None) -> Plan:
    """Read a plan; with the inventory's hosts, each host of the plan must be one of them.

    Raises FaultsFoundError with all that is wrong, and GpufleetError for a file that cannot be read at all.
    """
    data, faults = reading.read(path)
    rows, wrong = written.validated(data)
    if rows is None:
        reading.refuse(path, [*faults, *wrong])
        raise AssertionError  # rows are missing only beside a fault
    cables, wrong = plan_faults.cables(rows)
    reading.refuse(path, [*faults, *wrong, *plan_faults.find(rows, cables), *_strangers(rows, hosts)])
    devices = {f"{host} {name}": row for host, rows_of in rows.hosts.items() for name, row in rows_of.items()}
    return Plan(path, rows.switches, devices, tuple(_linked(rows, cables)), rows.thresholds)


def of(inventory: Inventory) -> Plan:
    """Read the plan of an inventory: the file that its key `fabric` names, else `fabric.yaml` beside it."""
    named = {host.data[KEY] for host in inventory.hosts.values() if isinstance(host.data.get(KEY), str)}
    if len(named) > 1:
        found, cure = ", ".join(sorted(named)), "name the same file for all hosts"
        raise GpufleetError(str(inventory.path), expected="one plan of the fabric", found=found, cure=cure)
    folder = inventory.path.resolve().parent
    path = folder / (named.pop() if named else FILE)
    return load(path, inventory.hosts)


def _strangers(rows: Written, hosts: Collection[str] | None) -> list[Fault]:
    if hosts is None:
        return []
    cure = "add it to the inventory, or take it out of the plan"
    return [Fault("hosts", "not in the inventory", cure, host) for host in rows.hosts if host not in hosts]


def _linked(rows: Written, cables: list[tuple[Port, Port]]) -> list[Cable]:
    """Give each cable the speed and width that are usual, or its own."""
    own = {plan_faults.end(text, rows): row for text, row in rows.overrides.items()}
    result = []
    for a, b in cables:
        row = own.get(a) or own.get(b)
        result.append(Cable(a, b, (row and row.speed) or rows.speed, (row and row.width) or rows.width))
    return result
