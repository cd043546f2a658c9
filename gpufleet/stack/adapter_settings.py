"""Firmware settings of network adapters as they are declared, found, and different: pure functions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Value = bool | int | str
_NUMBERED = re.compile(r"(?P<name>[^()]*)\((?P<number>\d+)\)")


@dataclass(frozen=True)
class Setting:
    """One setting in the firmware's words, such as `True(1)`; empty where the firmware cannot tell."""

    default: str = ""
    current: str = ""
    next: str = ""


@dataclass(frozen=True)
class Adapter:
    """One network adapter: what it is, its firmware, and the settings that it works by and will after a boot."""

    address: str
    #: PCI device id, four hexadecimal digits.
    device: str = ""
    psid: str = ""
    #: Version that runs.
    firmware: str = ""
    #: Version in flash where it is another, which the next reset loads.
    flashed: str = ""
    settings: Mapping[str, Setting] = field(default_factory=dict)
    #: What the tools said instead of an answer.
    error: str = ""


@dataclass(frozen=True)
class Rule:
    """What is declared for the adapters of one address, PSID or PCI device id."""

    settings: Mapping[str, Value] = field(default_factory=dict)
    minimum_firmware: str | None = None
    address: str | None = None
    psid: str | None = None
    device: str | None = None

    def covers(self, adapter: Adapter) -> bool:
        """Whether the adapter is meant."""
        named = {self.address: adapter.address, self.psid: adapter.psid, self.device: adapter.device}
        return any(name is not None and name == found for name, found in named.items())

    @property
    def rank(self) -> int:
        """The narrower a rule, the more it has to say."""
        return 2 if self.address else 1 if self.psid else 0


@dataclass(frozen=True)
class Difference:
    """A setting that is other than declared, now or after the next boot."""

    name: str
    declared: Value
    found: Setting

    @property
    def is_written(self) -> bool:
        """Whether the next boot brings the declared value."""
        return same(self.declared, self.found.next)

    def __str__(self) -> str:
        current = self.found.current or "unknown"
        return f"{self.name} declared {text(self.declared)}, now {current}, after a boot {self.found.next}"


def rules_of(adapter: Adapter, rules: Sequence[Rule]) -> list[Rule]:
    """Return the rules that mean this adapter, the narrowest last."""
    return sorted((rule for rule in rules if rule.covers(adapter)), key=lambda rule: rule.rank)


def meant(adapters: Sequence[Adapter], rules: Sequence[Rule]) -> list[Adapter]:
    """Return the adapters for which something is declared; one that does not answer may have any PSID."""
    by_psid = any(rule.psid for rule in rules)
    return [row for row in adapters if rules_of(row, rules) or (row.error and by_psid)]


def declared(adapter: Adapter, rules: Sequence[Rule]) -> dict[str, Value]:
    """Return the settings that are declared for an adapter: those of its address win over its PSID's and its kind's."""
    return {name: value for rule in rules_of(adapter, rules) for name, value in rule.settings.items()}


def minimum(adapter: Adapter, rules: Sequence[Rule]) -> str | None:
    """Return the oldest firmware that is declared for an adapter, if any."""
    return next((rule.minimum_firmware for rule in reversed(rules_of(adapter, rules)) if rule.minimum_firmware), None)


def unknown(adapter: Adapter, rules: Sequence[Rule]) -> list[str]:
    """Return declared settings that the adapter's firmware does not have."""
    return sorted(set(declared(adapter, rules)) - set(adapter.settings))


def differences(adapter: Adapter, rules: Sequence[Rule]) -> list[Difference]:
    """Return the settings that are not as declared, now or after a boot."""
    rows = [
        Difference(name, value, adapter.settings[name])
        for name, value in sorted(declared(adapter, rules).items())
        if name in adapter.settings
    ]
    return [row for row in rows if not (row.is_written and same(row.declared, row.found.current or row.found.next))]


def is_older(firmware: str, than: str) -> bool:
    """Whether a firmware version such as `28.39.1002` comes before another."""
    return _numbers(firmware) < _numbers(than)


def same(value: Value, found: str) -> bool:
    """Whether a declared value is what the firmware prints: `True(1)` is True, 1 and "True"."""
    match = _NUMBERED.fullmatch(found)
    names = [match["name"], match["number"]] if match else [found]
    return text(value).casefold() in {name.casefold() for name in [*names, found]}


def text(value: Value) -> str:
    """Return a value as mstconfig takes it: the number of a switch, a decimal, or a name."""
    if isinstance(value, str) and re.fullmatch(r"0[xX][0-9a-fA-F]+", value):
        return str(int(value, 16))
    return str(int(value)) if isinstance(value, bool) else str(value)


def _numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)]
