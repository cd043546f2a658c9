"""Write a plan as `fabric.yaml`."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from gpufleet.fabric.importing import Imported, usual
from gpufleet.fabric.ports import SPEEDS, WIDTHS, Port, guid_text

_PLAIN = re.compile(r"[A-Za-z][\w.-]*(?: [A-Za-z][\w.-]*)?(?:/\d+)?")


def text(plan: Imported) -> str:
    """Return the file, with what could not be inferred as comments at its head."""
    return "\n".join([*(f"# {note}" for note in plan.notes), *_lines(plan)]) + "\n"


def _lines(plan: Imported) -> Iterator[str]:
    speed, width = usual(plan)
    yield from (f"speed: {speed}", f"width: {width}", "switches:")
    for name, ports in plan.ports.items():
        rail = f", rail: {plan.leaf_rails[name]}" if name in plan.leaf_rails else ""
        yield f"  {_key(name)}: {{role: {plan.roles[name]}{rail}, ports: {ports}, guid: {guid_text(plan.guids[name])}}}"
    yield from _section("hosts", _hosts(plan))
    yield from _section("links", _links(plan))
    yield from _section("overrides", _overrides(plan, speed, width))


def _section(name: str, lines: Iterator[str]) -> Iterator[str]:
    """Yield a section, as an empty one where it has no lines."""
    rows = list(lines)
    yield f"{name}:" if rows else f"{name}: {{}}"
    yield from rows


def _hosts(plan: Imported) -> Iterator[str]:
    hosts: dict[str, list[str]] = defaultdict(list)
    for name in sorted(set(plan.guids) - set(plan.ports)):
        host, _, device = name.partition(" ")
        rail = f"rail: {plan.device_rails[name]}, " if name in plan.device_rails else ""
        hosts[host].append(f"{_key(device)}: {{{rail}guid: {guid_text(plan.guids[name])}}}")
    for host, devices in hosts.items():
        yield f"  {_key(host)}: {{{', '.join(devices)}}}"


def _links(plan: Imported) -> Iterator[str]:
    links: dict[str, list[tuple[Port, Port]]] = defaultdict(list)
    for a, b, *_ in plan.links:
        links[a.node].append((a, b))
    for node, pairs in links.items():
        cables = ", ".join(f"{a.number}: {_key(_end(b, plan))}" for a, b in sorted(pairs))
        yield f"  {_key(node)}: {{{cables}}}"


def _end(port: Port, plan: Imported) -> str:
    return port.node if port.number == 1 and port.node not in plan.ports else str(port)


def _overrides(plan: Imported, speed: str, width: str) -> Iterator[str]:
    for a, _, own_speed, own_width in plan.links:
        row = [f"speed: {own_speed}"] if own_speed in SPEEDS and own_speed != speed else []
        row += [f"width: {own_width}"] if own_width in WIDTHS and own_width != width else []
        if row:
            yield f"  {_key(str(a))}: {{{', '.join(row)}}}"


def _key(name: str) -> str:
    """Return a name as YAML takes it: in quotes where YAML would see something else in it."""
    words = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}
    if _PLAIN.fullmatch(name) and name.lower() not in words:
        return name
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
