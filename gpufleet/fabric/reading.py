"""Read a plan's YAML as plain text values, without building YAML's own tree and without losing a key written twice.

PyYAML keeps the last of two equal keys in silence, which for a plan is a port used twice. It also needs a kilobyte for
each value: too much for the plan of 10,000 hosts. Events are read instead, and every value stays the text it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from sys import intern
from typing import Any

import yaml

from gpufleet.errors import Fault, FaultsFoundError, GpufleetError

_ONCE = "name it once"


class _Reader:
    """Builds nested dictionaries and lists from events; equal texts share memory."""

    def __init__(self, events: Iterator[Any]) -> None:
        self._events = events
        self.faults: list[Fault] = []

    def value(self, event: Any, path: str = "") -> Any:
        if isinstance(event, yaml.ScalarEvent):
            return None if event.implicit[0] and event.value in {"", "~", "null"} else intern(event.value)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(path)
        found = f"an anchor or alias (line {event.start_mark.line + 1})"
        raise GpufleetError(path or "plan", expected="plain values", found=found, cure="write the value itself")

    def _mapping(self, path: str) -> dict[Any, Any]:
        result: dict[Any, Any] = {}
        for event in self._events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self.value(event, path)
            where = f"{path}.{key}" if path else str(key)
            if key in result:
                self.faults.append(Fault(where, f"written twice (line {event.start_mark.line + 1})", _ONCE))
            result[key] = self.value(next(self._events), where)
        return result

    def _sequence(self, path: str) -> list[Any]:
        result = []
        for event in self._events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            result.append(self.value(event, path))
        return result


def read(path: Path) -> tuple[dict[str, Any], list[Fault]]:
    """Return what a YAML file says, and a fault for each key that it says twice.

    Raises GpufleetError for a file that is not there, is no YAML, or is no dictionary.
    """
    if not path.is_file():
        cure = "write one, or make one of what is cabled with `gpufleet fabric import`"
        raise GpufleetError(str(path), expected="the plan of a fabric", found="no such file", cure=cure)
    try:
        with path.open("rb") as file:
            return _document(path, yaml.parse(file, Loader=yaml.CSafeLoader))
    except yaml.YAMLError as error:
        found = " ".join(str(error).split())
        raise GpufleetError(str(path), expected="YAML", found=found, cure="correct the file") from None


def _document(path: Path, events: Iterator[Any]) -> tuple[dict[str, Any], list[Fault]]:
    reader = _Reader(events)
    for event in events:
        if isinstance(event, yaml.MappingStartEvent):
            return reader.value(event), reader.faults
        if not isinstance(event, yaml.StreamStartEvent | yaml.DocumentStartEvent):
            break
    raise GpufleetError(str(path), expected="a dictionary", found="something else", cure="see docs/fabric.md")


def refuse(path: Path, faults: list[Fault]) -> None:
    """Raise FaultsFoundError where there are faults."""
    if faults:
        raise FaultsFoundError(str(path), faults)
