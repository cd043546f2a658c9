"""Cables that are not where the plan has them: swapped, moved, missing, extra, and nodes that are not there at all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from gpufleet import hostset
from gpufleet.fabric.findings import Finding, Kind
from gpufleet.fabric.meeting import Built
from gpufleet.fabric.plan import Plan, host_of
from gpufleet.fabric.ports import Cable, Port, between

_NOTHING = "nothing"
_NAME_IT = "give it its name, or the plan its GUID"


class Cabling:
    """One comparison; each planned cable that is not built, and each built one that is not planned, is told once."""

    def __init__(self, plan: Plan, built: Built, states: Mapping[Port, str], explained: set[Port]) -> None:
        self.plan, self.built, self.states = plan, built, states
        self.planned = {here: there for a, b, *_ in plan.cables for here, there in ((a, b), (b, a))}
        self.missing: dict[Port, Cable] = {}
        self.intact: list[Cable] = []
        for cable in plan.cables:
            if self._other(cable.a) == cable.b and self._other(cable.b) == cable.a:
                self.intact.append(cable)
            elif cable.a not in explained and cable.b not in explained:
                self.missing[cable.a] = self.missing[cable.b] = cable
        self.extra = {
            here: there
            for here, (there, *_) in built.far.items()
            if self.planned.get(here) != there and here not in explained and there not in explained
        }

    def _other(self, port: Port) -> Port | None:
        far = self.built.far.get(port)
        return far.port if far else None

    def findings(self) -> Iterator[Finding]:
        """Yield the findings, each explanation taking what it explains from the next."""
        yield from self._absent_switches()
        yield from self._absent_hosts()
        yield from self._swapped()
        yield from self._moved()
        yield from self._missing()
        yield from self._unknown_nodes()
        yield from self._extra()

    def _drop(self, *cables: Cable) -> None:
        for cable in cables:
            self.missing.pop(cable.a, None)
            self.missing.pop(cable.b, None)

    def _open(self) -> list[Cable]:
        """Return the cables that are missing and not explained yet, each once, in the plan's order."""
        return list({id(cable): cable for cable in self.missing.values()}.values())

    def _absent_switches(self) -> Iterator[Finding]:
        here = {port.node for port in self.built.far}
        cables: dict[str, list[Cable]] = defaultdict(list)
        for cable in self._open():
            for node in {cable.a.node, cable.b.node}:
                if node in self.plan.switches and node not in here:
                    cables[node].append(cable)
        for switch, own in cables.items():
            if len(own) > 1:
                cut = [host_of(port.node) for c in own for port in (c.a, c.b) if port.node in self.plan.devices]
                tail = f" (hosts cut off there: {hostset.describe(cut)})" if cut else ""
                yield self._absent(switch, own, tail)

    def _absent_hosts(self) -> Iterator[Finding]:
        here = {host_of(port.node) for port in self.built.far if port.node in self.plan.devices}
        cables: dict[str, list[Cable]] = defaultdict(list)
        for cable in self._open():
            for node in {cable.a.node, cable.b.node}:
                if node in self.plan.devices and host_of(node) not in here:
                    cables[host_of(node)].append(cable)
        for host, own in cables.items():
            if len(own) > 1:
                yield self._absent(host, own, "")

    def _absent(self, name: str, cables: list[Cable], tail: str) -> Finding:
        self._drop(*cables)
        found = f"none of them{tail}"
        cure = "check that it is powered and its management answers"
        pairs = tuple((str(c.a), str(c.b)) for c in cables)
        return Finding("absent", name, f"a node with {len(cables)} cables", found, cure, pairs, nodes=(name,))

    def _swapped(self) -> Iterator[Finding]:
        for cable in self._open():
            x, y = self.extra.get(cable.a), self.extra.get(cable.b)
            if x is None or y is None or cable.a not in self.missing or self.planned.get(x) != y:
                continue
            second = self.missing.get(x)
            if second is not None and self.extra.get(x) == cable.a and self.extra.get(y) == cable.b:
                yield self._swap(cable, second, ((cable.a, x), (cable.b, y)))

    def _swap(self, one: Cable, two: Cable, built: tuple[tuple[Port, Port], ...]) -> Finding:
        self._drop(one, two)
        for pair in built:
            self._drop_extra(*pair)
        where = f"{one} and {two}"
        found = " and ".join(f"{between(*self._ordered(*pair))}{self._wrong_rail(*pair)}" for pair in built)
        return Finding(
            "swapped", where, "these two cables", found, "exchange the two plugs at one side",
            tuple((str(c.a), str(c.b)) for c in (one, two)), tuple((str(a), str(b)) for a, b in built),
        )  # fmt: skip

    def _drop_extra(self, *ports: Port) -> None:
        for port in ports:
            self.extra.pop(port, None)

    def _ordered(self, a: Port, b: Port) -> tuple[Port, Port]:
        """Return two ports as a plan would write them: a leaf's first, then a spine's, a device's last."""
        return (a, b) if self._rank(a) <= self._rank(b) else (b, a)

    def _rank(self, port: Port) -> int:
        switch = self.plan.switches.get(port.node)
        return ("leaf", "spine", "core").index(switch.role) if switch else 3

    def _moved(self) -> Iterator[Finding]:
        for cable in self._open():
            for stayed, left in ((cable.a, cable.b), (cable.b, cable.a)):
                now = self.extra.get(stayed)
                if now is not None and self.extra.get(now) == stayed:
                    self._drop(cable)
                    self._drop_extra(stayed, now)
                    yield self._move(cable, stayed, left, now)
                    break

    def _move(self, cable: Cable, stayed: Port, left: Port, now: Port) -> Finding:
        wrong, known = self._wrong_rail(stayed, now), self._is_planned(now.node)
        kind: Kind = "wrong rail" if wrong else "moved" if known else "unknown node"
        found = f"{between(*self._ordered(stayed, now))}{wrong}"
        cure = (
            f"move the plug from {now} to {left}" if known else f"if that is {left.node}, {_NAME_IT}; else exchange it"
        )
        planned, built = ((str(cable.a), str(cable.b)),), ((str(stayed), str(now)),)
        return Finding(kind, str(cable), "this cable", found, cure, planned, built)

    def _is_planned(self, node: str) -> bool:
        return node in self.plan.switches or node in self.plan.devices

    def _wrong_rail(self, *ends: Port) -> str:
        for (leaf, _), (device, _) in (ends, ends[::-1]):
            switch, row = self.plan.switches.get(leaf), self.plan.devices.get(device)
            if switch and row and switch.rail and row.rail and switch.rail != row.rail:
                return f" ({device} is of rail {row.rail}, {leaf} of rail {switch.rail})"
        return ""

    def _missing(self) -> Iterator[Finding]:
        for cable in self._open():
            found = "; ".join(self._at(port) for port in (cable.a, cable.b))
            cure = "plug it in, or replace it"
            yield Finding("missing", str(cable), "this cable", found, cure, ((str(cable.a), str(cable.b)),))

    def _at(self, port: Port) -> str:
        other, state = self._other(port), self.states.get(port)
        return f"{other or _NOTHING} at {port}{f' ({state})' if state else ''}"

    def _unknown_nodes(self) -> Iterator[Finding]:
        cables: dict[str, list[tuple[Port, Port]]] = defaultdict(list)
        for here, there in self.extra.items():
            if not self._is_planned(here.node):
                cables[here.node].append((here, there))
        for node, pairs in cables.items():
            own = [pair for pair in pairs if pair[0] in self.extra]
            if len(own) > 1:
                self._drop_extra(*(port for pair in own for port in pair))
                names = ", ".join(sorted(between(*self._ordered(*pair)) for pair in own)[:4])
                found = f"{len(own)} cables ({names}{', ...' if len(own) > 4 else ''})"
                built = tuple((str(a), str(b)) for a, b in own)
                yield Finding("unknown node", node, "no such node", found, "add it to the plan", (), built, (node,))

    def _extra(self) -> Iterator[Finding]:
        for here, there in list(self.extra.items()):
            if here in self.extra:
                self._drop_extra(here, there)
                ends = self._ordered(here, there)
                unknown = [port.node for port in ends if not self._is_planned(port.node)]
                found = (
                    f"one to {unknown[0]}, which the plan does not know" if unknown else f"one{self._wrong_rail(*ends)}"
                )
                built = ((str(here), str(there)),)
                yield Finding("extra", between(*ends), "no cable", found, "unplug it, or add it to the plan", (), built)
