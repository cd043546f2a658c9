"""Subnet managers: one master, and only one.

The master's list of managers (`saquery SMIR`) is its memory: a killed manager stays in it, and one whose sm_key is
another never comes into it. So every port that is a manager's by that list or by its capabilities (`saquery -s`) is
asked itself. Formats: infiniband-diags/sminfo.c and dump_sm_info_record in infiniband-diags/saquery.c of rdma-core.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from gpufleet.fabric.discovered import Place
from gpufleet.fabric.findings import Finding
from gpufleet.fabric.ports import guid_text

_MASTER = 3
_SMINFO = re.compile(r"sminfo: sm lid \d+ sm guid 0x([0-9a-f]+), .*priority (\d+) state (\d+)")
_FIELD = re.compile(r"\s*(GUID|Priority|SMState)\.+(\w+)")
_LIDS = r"s/^[[:space:]]*\(LID\|base_lid\)\.\.*//p"


@dataclass(frozen=True)
class Manager:
    """A subnet manager, by the GUID of its port; the state is None where only the master's list has it."""

    guid: int
    priority: int
    state: int | None


def command(device: str) -> str:
    """Return the shell command that asks, from a device, the manager of its port, and then all that there are."""
    return (
        f'sminfo -C {device}; records=$(saquery -C {device} SMIR); echo "$records"; '
        f"for lid in $({{ echo \"$records\"; saquery -C {device} -s; }} | sed -n '{_LIDS}' | sort -un); "
        f"do sminfo -C {device} $lid; done"
    )


def parse(lines: Iterable[str]) -> list[Manager]:
    """Return the managers that answered, each once, then those that are listed alone."""
    answered, remembered = {}, {}
    record: dict[str, int] = {}
    for line in lines:
        if match := _SMINFO.search(line):
            guid, priority, state = int(match[1], 16), int(match[2]), int(match[3])
            answered[guid] = Manager(guid, priority, state)
        elif match := _FIELD.match(line):
            record[match[1]] = int(match[2], 0)
            if match[1] == "SMState":
                remembered[record["GUID"]] = Manager(record["GUID"], record.get("Priority", 0), None)
                record = {}
    return list({**answered, **{guid: row for guid, row in remembered.items() if guid not in answered}}.values())


def listed(text: str) -> bool:
    """Whether the master gave its list; without one only the manager of the asked port is known."""
    return "SMInfoRecord dump" in text


def silent(
    managers: Mapping[str, Iterable[Manager]], places: Mapping[int, set[Place]], names: Mapping[int, str]
) -> Iterator[str]:
    """Yield a sentence for each manager that is listed and does not answer."""
    for subnet, known in managers.items():
        for manager in known:
            if manager.state is None:
                name = _name(manager, places, names)
                yield f"{subnet}: the master lists a subnet manager that does not answer: {name}"


def find(
    managers: Iterable[Manager], subnet: str, places: Mapping[int, set[Place]], names: Mapping[int, str]
) -> Iterator[Finding]:
    """Yield a finding where a subnet has no master, or more than one; `subnet` says from where it was asked."""
    known = [manager for manager in managers if manager.state is not None]
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
