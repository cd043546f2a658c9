"""The words of a fault, read against the plan: which cable, port or host, and what of it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gpufleet.errors import LabError
from gpufleet.fabric.plan import Plan
from gpufleet.fabric.ports import Cable, Port
from gpufleet.lab import names
from gpufleet.lab.fabric.netfile import SPEEDS, WIDTHS

LINK_DOWN, SWAPPED, SLOW, NARROW = "link-down", "swapped", "slow", "narrow"
ERRORS, KILLED = "errors", "manager-killed"
#: What each kind is told, for the help and for refusals.
WORDS: Mapping[str, str] = {
    LINK_DOWN: "PORT",
    SWAPPED: "PORT PORT",
    SLOW: "PORT [SPEED]",
    NARROW: "PORT [WIDTH]",
    ERRORS: "PORT COUNTER=VALUE",
    KILLED: "HOST [DEVICE]",
}
#: Counters that ibsim keeps of a port, with the most that each counts to (ibsim/sim.h, GS_PERF_*_LIMIT).
COUNTERS: Mapping[str, int] = {
    "SymbolErrorCounter": 0xFFFF,
    "LinkErrorRecoveryCounter": 0xFF,
    "LinkDownedCounter": 0xFF,
    "PortRcvErrors": 0xFFFF,
    "PortRcvRemotePhysicalErrors": 0xFFFF,
    "PortRcvSwitchRelayErrors": 0xFFFF,
    "PortXmitDiscards": 0xFFFF,
    "PortXmitConstraintErrors": 0xFF,
    "PortRcvConstraintErrors": 0xFF,
    "LocalLinkIntegrityErrors": 0xF,
    "ExcessiveBufferOverrunErrors": 0xF,
    "VL15Dropped": 0xFFFF,
    "PortXmitWait": 0xFFFFFFFF,
}


@dataclass(frozen=True)
class Wanted:
    """A fault as it was asked for: its cables from the ends that were named, and a value or host."""

    kind: str
    words: tuple[str, ...]
    ends: tuple[Port, ...] = ()
    cables: tuple[Cable, ...] = ()
    value: str = ""

    def __str__(self) -> str:
        return shlex.join((self.kind, *self.words))

    @property
    def place(self) -> tuple[object, ...]:
        """What tells it from others of its kind: the cables from either end, or the counter of a port."""
        if self.kind == ERRORS:
            return (*self.ends, self.value.partition("=")[0])
        return tuple(sorted(self.cables)) or self.words

    def other(self, end: Port) -> Port:
        """Return the other end of the cable that was named by this end."""
        cable = self.cables[self.ends.index(end)]
        return cable.b if cable.a == end else cable.a


def read(plan: Plan, kind: str, words: Sequence[str]) -> Wanted:
    """Read a fault; raises LabError for an unknown kind, and for words that it cannot take."""
    names.known("fabric", "fault", kind, WORDS)
    if kind == KILLED:
        _count(kind, words, 1, 2)
        names.known(f"fault {kind}", "host of the plan", words[0], plan.hosts)
        return Wanted(kind, tuple(words))
    ports = 2 if kind == SWAPPED else 1
    _count(kind, words, 2 if kind in (SWAPPED, ERRORS) else 1, 1 if kind == LINK_DOWN else 2)
    ends = tuple(_port(plan, kind, word) for word in words[:ports])
    if kind == ERRORS:
        return Wanted(kind, tuple(words), ends, (), _counter(words[1]))
    cables = tuple(_cable(plan, kind, end) for end in ends)
    if len(set(cables)) < len(cables):
        raise _wrong(kind, "two cables", f"{words[0]} and {words[1]}, the ends of one", "name a port of another cable")
    value = _lesser(kind, cables[0], words[1] if len(words) > 1 else "") if kind in (SLOW, NARROW) else ""
    return Wanted(kind, tuple(words), ends, cables, value)


def _wrong(kind: str, expected: str, found: str, cure: str) -> LabError:
    return LabError(f"fault {kind}", expected=expected, found=found, cure=cure)


def _count(kind: str, words: Sequence[str], least: int, most: int) -> None:
    if not least <= len(words) <= most:
        found = f"`{shlex.join(words)}`" if words else "nothing"
        raise _wrong(kind, WORDS[kind], found, "PORT is leaf-01/3 or 'gpu-01 mlx5_0', in quotes")


def _port(plan: Plan, kind: str, text: str) -> Port:
    node, slash, number = text.rpartition("/")
    port = Port(node, int(number)) if slash and number.isdecimal() else Port(text, 1)
    if port.node not in plan.switches and port.node not in plan.devices:
        raise _wrong(kind, "a port of the plan", f"`{text}`", "write it as leaf-01/3 or 'gpu-01 mlx5_0', in quotes")
    return port


def _cable(plan: Plan, kind: str, port: Port) -> Cable:
    for cable in plan.cables:
        if port in (cable.a, cable.b):
            return cable
    raise _wrong(kind, "a port with a cable", str(port), "choose one that the plan has under links")


def _counter(text: str) -> str:
    name, _, value = text.partition("=")
    names.known(f"fault {ERRORS}", "counter", name, COUNTERS)
    if not value.isdecimal() or int(value) > COUNTERS[name]:
        raise _wrong(ERRORS, f"{name}=0 to {COUNTERS[name]}", f"`{text}`", "write it as SymbolErrorCounter=500")
    return f"{name}={int(value)}"


def _lesser(kind: str, cable: Cable, word: str) -> str:
    """Return the speed or width that a link shall have; without a word the next slower, or one lane."""
    choices = _slower(cable.speed) if kind == SLOW else _narrower(cable.width)
    planned = cable.speed if kind == SLOW else cable.width
    if not choices:
        cure = "choose a link that is planned faster" if kind == SLOW else "choose a link that is planned wider"
        raise _wrong(kind, f"a link that can have less than {planned}", str(cable), cure)
    chosen = word or (choices[-1] if kind == SLOW else choices[0])
    if chosen not in choices:
        cure = f"choose one of {', '.join(choices)}"
        raise _wrong(kind, f"less than the planned {planned}, as far as ibsim can", f"`{word}`", cure)
    return chosen


def _slower(speed: str) -> list[str]:
    """Return slower speeds of the same encoding: ibsim leaves the extended ones only by a new start."""
    extended = SPEEDS[speed][1] > 0
    order = list(SPEEDS)
    return [name for name in order[: order.index(speed)] if (SPEEDS[name][1] > 0) == extended]


def _narrower(width: str) -> list[str]:
    order = list(WIDTHS)
    return order[: order.index(width)]
