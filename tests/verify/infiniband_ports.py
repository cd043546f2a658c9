"""Ports of a host beside what is declared of them: their errors since it started, and GUIDs of the fabric's plan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

from gpufleet.fabric.counters import Reading, excesses
from gpufleet.fabric.plan import FILE, KEY, Plan, host_of, load
from gpufleet.fabric.ports import guid_text
from gpufleet.facts.rdma import RdmaDevice
from gpufleet.facts.rdma_counters import PortCounters
from gpufleet.inventory.hosts import InventoryHost
from roles.infiniband.decisions import expected_port
from roles.infiniband.options import Infiniband

#: The kernel takes a link up anew as it starts: that one time is no fault.
BY_THE_START = {"LinkDownedCounter": 1}


def unlike_declared(options: Infiniband, devices: Sequence[RdmaDevice]) -> list[str]:
    """Return where the first port of a device is not as declared, and declared devices that are not there."""
    wrong = []
    for device in devices:
        expected = expected_port(options, device.name)
        port = device.ports[0] if device.ports else None
        if expected is None:
            continue
        rate = expected.rate or (port.rate if port else 0)
        wanted = f"{expected.link_layer} ACTIVE, {rate:g} Gb/s, {expected.width}X"
        is_found = f"{port.link_layer} {port.state}, {port.rate:g} Gb/s, {port.width}X" if port else "no port"
        if is_found != wanted:
            wrong.append(f"{device.name}: expected {wanted}, found {is_found}")
    names = ["all", *(device.name for device in devices)]
    missing = [name for name in options.ports if name not in names]
    return wrong + [f"{name}: expected a device of this name, found none" for name in missing]


def errors(found: PortCounters, devices: Iterable[RdmaDevice], own: Mapping[str, int]) -> list[str]:
    """Return the counters of active ports that rose by more an hour than trusted, on the average since the start."""
    active = {f"{device.name}/{port.number}" for device in devices for port in device.ports if port.state == "ACTIVE"}
    counts = {port: row for port, row in found.counts.items() if port in active}
    start = {
        port: {name: min(row.get(name, 0), errors) for name, errors in BY_THE_START.items()}
        for port, row in counts.items()
    }
    return [
        f"{row.port}: {row.errors} of {row.counter} within {row.hours:.1f} h"
        for row in excesses(Reading(0, start), Reading(found.uptime, counts), own)
    ]


def other_devices(record: InventoryHost, devices: Iterable[RdmaDevice]) -> list[str]:
    """Return where a host's devices are not those that the fabric's plan gives it."""
    there = {device.name: device for device in devices}
    wrong = []
    for name, planned in planned_guids(record).items():
        guid = int(there[name].guid.replace(":", "") or "0", 16) if name in there else None
        if guid is None:
            wrong.append(f"{name}: expected this device, found none")
        elif planned is not None and guid != planned:
            wrong.append(f"{name}: expected GUID {guid_text(planned)}, found {guid_text(guid)}")
    return wrong


def planned_guids(record: InventoryHost) -> dict[str, int | None]:
    """Return the GUIDs of a host's devices in the plan, None for one without; nothing where there is no plan."""
    named = record.data.get(KEY)
    path = record.folder / (named if isinstance(named, str) else FILE)
    if not path.exists():
        return {}
    devices = _plan(path.resolve()).devices.items()
    own = {node: row.guid for node, row in devices if host_of(node) == record.name}
    return {node.partition(" ")[2]: int(guid, 16) if guid else None for node, guid in own.items()}


@cache
def _plan(path: Path) -> Plan:
    """Read a plan once for all hosts that one process checks."""
    return load(path)
