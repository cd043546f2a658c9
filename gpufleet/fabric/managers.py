"""Subnet managers: one master, and only one.

Formats: infiniband-diags/sminfo.c and dump_sm_info_record in infiniband-diags/saquery.c of rdma-core.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from gpufleet.fabric.discovered import Place
from gpufleet.fabric.findings import Finding
from gpufleet.fabric.ports import guid_text

_MASTER = 3
_SMINFO = re.compile(r"sminfo: sm lid (\d+) sm guid 0x([0-9a-f]+), .*priority (\d+) state (\d+)")
_FIELD = re.compile(r"\s*(GUID|Priority|SMState)\.+(\w+)")


@dataclass(frozen=True)
class Manager:
    """A subnet manager, by the GUID of its port."""

    guid: int
    priority: int
    state: int


def parse(sminfo: Iterable[str], saquery: Iterable[str]) -> list[Manager]:
    """Return the managers that the two programs know of, each once."""
    found = {manager.guid: manager for manager in _records(saquery)}
    for line in sminfo:
        if match := _SMINFO.search(line):
            guid = int(match[2], 16)
            found.setdefault(guid, Manager(guid, int(match[3]), int(match[4])))
    return list(found.values())


def _records(lines: Iterable[str]) -> Iterator[Manager]:
    record: dict[str, int] = {}
    for line in lines:
        if match := _FIELD.match(line):
            record[match[1]] = int(match[2], 0)
            if match[1] == "SMState":
                yield Manager(record["GUID"], record.get("Priority", 0), record["SMState"])
                record = {}


def find(
    managers: Iterable[Manager], subnet: str, places: Mapping[int, set[Place]], names: Mapping[int, str]
) -> Iterator[Finding]:
    """Yield a finding where a subnet has no master, or more than one; `subnet` says from where it was asked."""
    known = list(managers)
    masters = [_name(manager, places, names) for manager in known if manager.state == _MASTER]
    if not masters:
        others = ", ".join(_name(manager, places, names) for manager in known)
        found = f"none among {others}" if others else "none"
        yield Finding("subnet manager", subnet, "one master", found, "start opensm, and read its log")
    elif len(masters) > 1:
        cure = "stop all but one, and give them the same sm_key and partitions"
        yield Finding("subnet manager", subnet, "one master", f"{len(masters)}: {', '.join(sorted(masters))}", cure)


def _name(manager: Manager, places: Mapping[int, set[Place]], names: Mapping[int, str]) -> str:
    nodes = sorted(names[place.guid] for place in places.get(manager.guid, ()))
    return f"{nodes[0] if nodes else guid_text(manager.guid)} (priority {manager.priority})"
