"""What is wrong with a plan although every value in it has the right type."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gpufleet.errors import Fault
from gpufleet.fabric.ports import HIGHEST_PORT, Port, between
from gpufleet.fabric.written import Written
from gpufleet.nearest import did_you_mean

Pair = tuple[Port, Port]


def end(text: str, rows: Written) -> Port | None:
    """Return the port that a plan names: `gpu-01 mlx5_0` (port 1), `gpu-01 mlx5_0/2` or `leaf-01/33`."""
    if _is_device(text, rows):
        return Port(text, 1)
    node, slash, number = text.rpartition("/")
    if slash and number.isdecimal() and (node in rows.switches or _is_device(node, rows)):
        return Port(node, int(number))
    return None


def _is_device(name: str, rows: Written) -> bool:
    host, _, device = name.partition(" ")
    return device in rows.hosts.get(host, ())


def cables(rows: Written) -> tuple[list[Pair], list[Fault]]:
    """Return every cable once, and a fault for each line of `links` whose ends are not declared."""
    found, faults = [], []
    for node, ports in rows.links.items():
        if node not in rows.switches and not _is_device(node, rows):
            faults.append(Fault(f"links.{node}", "not declared", _nearest(node, rows)))
            continue
        for number, text in ports.items():
            other = end(text, rows)
            if other is None:
                problem = f"expected a declared switch with its port, or a declared device, found {text}"
                faults.append(Fault(f"links.{node}.{number}", problem, _nearest(text.rpartition("/")[0] or text, rows)))
            else:
                found.append((Port(node, number), other))
    return found, faults


def _nearest(name: str, rows: Written) -> str:
    """Return the cure for an unknown node, without listing thousands of known ones."""
    host, _, device = name.partition(" ")
    if device and host in rows.hosts:
        return did_you_mean(device, rows.hosts[host], f"devices of {host}")
    near = did_you_mean(name, [], "nodes", others=[*rows.switches, *rows.hosts])
    return near if near.startswith("did you mean") else "declare it under switches or hosts"


def find(rows: Written, pairs: Sequence[Pair]) -> list[Fault]:
    """Return the faults of a plan whose cables have been read."""
    return [*_rails(rows), *_used_twice(pairs), *_numbers(rows, pairs), *_across(rows, pairs), *_guids(rows),
            *_overrides(rows, pairs)]  # fmt: skip


def _rails(rows: Written) -> Iterator[Fault]:
    rails = {row.rail for row in rows.switches.values() if row.rail is not None}
    known = f"known rails: {', '.join(map(str, sorted(rails))) or 'none'}"
    for name, switch in rows.switches.items():
        if switch.rail is not None and switch.role != "leaf":
            yield Fault(f"switches.{name}.rail", f"expected none for a {switch.role}, found {switch.rail}", "remove it")
    for host, devices in rows.hosts.items():
        for name, device in devices.items():
            if device.rail is not None and device.rail not in rails:
                yield Fault(f"hosts.{host}.{name}.rail", f"expected the rail of a leaf, found {device.rail}", known)


def _used_twice(pairs: Sequence[Pair]) -> Iterator[Fault]:
    first: dict[Port, Pair] = {}
    for pair in pairs:
        for port in pair:
            if port in first:
                both = f"{between(*first[port])} and {between(*pair)}"
                yield Fault(f"links: {port}", f"a port used twice: {both}", "leave one of the two cables")
            first.setdefault(port, pair)


def _numbers(rows: Written, pairs: Sequence[Pair]) -> Iterator[Fault]:
    for pair in pairs:
        for node, number in pair:
            switch = rows.switches.get(node)
            highest = (switch and switch.ports) or HIGHEST_PORT
            if not 1 <= number <= highest:
                yield Fault(f"links.{node}", f"expected a port from 1 to {highest}, found {number}", "correct it")


def _across(rows: Written, pairs: Sequence[Pair]) -> Iterator[Fault]:
    rails = {row.rail for row in rows.switches.values()}
    for pair in pairs:
        for (node, number), (other, _) in (pair, pair[::-1]):
            switch, (host, _, device) = rows.switches.get(node), other.partition(" ")
            row = rows.hosts.get(host, {}).get(device)
            if switch and row and switch.rail and row.rail in rails - {None, switch.rail}:
                problem = f"expected a device of rail {switch.rail}, found {other} of rail {row.rail}"
                yield Fault(f"links.{node}.{number}", problem, "correct the link, or one of the rails")


def _guids(rows: Written) -> Iterator[Fault]:
    named = [(f"switches.{name}", row.guid) for name, row in rows.switches.items()]
    named += [(f"hosts.{host}.{name}", row.guid) for host, of in rows.hosts.items() for name, row in of.items()]
    first: dict[int, str] = {}
    for where, guid in named:
        if guid is not None and first.setdefault(int(guid, 16), where) != where:
            yield Fault(f"{where}.guid", f"{guid} is the GUID of {first[int(guid, 16)]} too", "correct one of them")


def _overrides(rows: Written, pairs: Sequence[Pair]) -> Iterator[Fault]:
    if not rows.overrides:
        return
    cabled = {port for pair in pairs for port in pair}
    cabled |= {Port(node, number) for node, ports in rows.links.items() for number in ports}
    for text in rows.overrides:
        if end(text, rows) not in cabled:
            yield Fault(
                f"overrides.{text}", "expected a port that has a cable in links", "correct it, or add the cable"
            )
