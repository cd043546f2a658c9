"""Error counters of ports: what `ibqueryerrors` prints, and how many errors an hour had since a former reading.

Format: infiniband-diags/ibqueryerrors.c of rdma-core, function print_results.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from gpufleet.fabric.ports import Port

TABLE = Path(__file__).with_name("thresholds.yaml")

#: PortXmitWait counts waiting, not errors, and would name every port of a busy fabric.
COMMAND = "ibqueryerrors -s PortXmitWait --threshold-file /dev/null"
_LINE = re.compile(r"\s+GUID 0x([0-9a-f]+) port (\d+):(.*)")
_COUNTER = re.compile(r"\[(\w+) == (\d+)")
_HOUR = 3600.0

#: Counters by name of each port that has any, by `0x<GUID>/<port>`.
Counts = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class Reading:
    """Counters with the time they were read at, in seconds since 1970."""

    time: float
    counts: Counts


@dataclass(frozen=True)
class Excess:
    """A counter that rose by more than its threshold; `hours` since the former reading, at least one."""

    port: str
    counter: str
    errors: int
    hours: float
    threshold: int


@dataclass(frozen=True)
class Threshold:
    """Errors per hour that are still trusted, and who says so."""

    per_hour: int
    meaning: str
    source: str


@cache
def thresholds() -> Mapping[str, Threshold]:
    """Return the table of thresholds by counter."""
    rows = yaml.load(TABLE.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)["counters"]
    return {name: Threshold(**row) for name, row in rows.items()}


def ended(text: str) -> bool:
    """Whether ibqueryerrors came to its end; its exit status is the number of ports with errors."""
    return "## Summary:" in text


def parse(lines: Iterable[str]) -> dict[str, dict[str, int]]:
    """Return the counters above zero of each port; sums of a switch's ports are left out."""
    found = {}
    for line in lines:
        if match := _LINE.match(line):
            counts = {name: int(value) for name, value in _COUNTER.findall(match[3])}
            found[f"0x{int(match[1], 16):016x}/{match[2]}"] = counts
    return found


def rises(before: Counts, now: Counts) -> Iterator[tuple[str, str, int]]:
    """Yield (port, counter, errors) for each counter that rose; one that got smaller was cleared in between."""
    for port, counts in now.items():
        former = before.get(port, {})
        for counter, value in counts.items():
            since = value - former.get(counter, 0)
            if since:
                yield port, counter, since if since > 0 else value


def excesses(before: Reading, now: Reading, own: Mapping[str, int]) -> list[Excess]:
    """Return the counters that rose faster than trusted.

    Less than an hour counts as one: ten errors within a minute are ten an hour, not six hundred.
    """
    hours = max((now.time - before.time) / _HOUR, 1.0)
    limits = {name: row.per_hour for name, row in thresholds().items()} | dict(own)
    return [
        Excess(port, counter, errors, hours, limits[counter])
        for port, counter, errors in rises(before.counts, now.counts)
        if counter in limits and errors / hours > limits[counter]
    ]


def kept(before: Reading, now: Reading) -> Reading:
    """Return what the next check shall compare with: this reading, or the former one while that is within the hour.

    So frequent checks add up to an hour. A counter that was cleared since starts from zero there.
    """
    if now.time - before.time >= _HOUR or now.time < before.time:
        return now
    counts = {
        port: {name: value for name, value in former.items() if now.counts.get(port, {}).get(name, 0) >= value}
        for port, former in before.counts.items()
    }
    return Reading(before.time, counts)


def port_of(text: str, places: Mapping[int, Iterable[tuple[int, int]]], names: Mapping[int, str]) -> Port | None:
    """Return the plan's name of a port `0x<GUID>/<port>`; None where no discovered node has that GUID."""
    guid, _, number = text.partition("/")
    nodes = sorted(names[node] for node, _ in places.get(int(guid, 16), ()))
    return Port(nodes[0], int(number)) if nodes else None
