"""The check of the key `machine`: a host is the machine that the inventory declares."""

from __future__ import annotations

from collections.abc import Callable

from gpufleet.facts.machine import Machine
from gpufleet.health import Probe
from gpufleet.stack.declared import DeclaredMachine

PROBE = {"machine": Machine().command()}


def test_machine_is_as_declared(probe: Probe, declared: Callable[[type[DeclaredMachine]], DeclaredMachine]) -> None:
    found = Machine().process(probe["machine"].lines)
    differences = declared(DeclaredMachine).differences(found)
    assert not differences, "; ".join(
        f"{difference.where}: expected {difference.expected}, found {difference.found}" for difference in differences
    )
