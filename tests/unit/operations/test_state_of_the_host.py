"""Operations on facts with properties of their own: units, swap, names; want beside have, command beside both."""

from __future__ import annotations

from typing import Any

import pytest

from gpufleet.facts.naming import Names, Naming
from gpufleet.facts.swap import Swap, SwapState
from gpufleet.facts.units import UnitState, UnitStates
from gpufleet.operations import naming, swap, units
from tests.support.plans import plan

TIMER, UPGRADES, CHRONY = "apt-daily.timer", "unattended-upgrades.service", "chrony.service"
COMMENT_FSTAB = (
    "sed -E -i 's/^[[:space:]]*[^#[:space:]]+[[:space:]]+[^[:space:]]+[[:space:]]+swap([[:space:]].*)?$/"
    "# off by gpufleet: &/' /etc/fstab"
)


def mask() -> None:
    units.masked(units=[TIMER, UPGRADES], name="x")


def run() -> None:
    units.running(units=[CHRONY], name="x")


def swap_off() -> None:
    swap.off(name="x")


def set_hostname() -> None:
    naming.hostname(hostname="gpu-01", name="x")


CASES: dict[str, tuple[Any, dict[Any, Any], list[str]]] = {
    "mask: enabled, and absent": (
        mask,
        {UnitStates: {TIMER: UnitState("loaded", "active", "enabled")}},
        [f"systemctl disable --now {TIMER}", f"systemctl mask --now {TIMER} {UPGRADES}"],
    ),
    "mask: masked while it ran": (
        mask,
        {
            UnitStates: {
                TIMER: UnitState("masked", "inactive", "masked"),
                UPGRADES: UnitState("masked", "active", "masked"),
            }
        },
        [f"systemctl mask --now {UPGRADES}"],
    ),
    "mask: masked": (
        mask,
        {UnitStates: dict.fromkeys((TIMER, UPGRADES), UnitState("masked", "inactive", "masked"))},
        [f"nothing to do: units masked: {TIMER}, {UPGRADES}"],
    ),
    "run: stopped": (
        run,
        {UnitStates: {CHRONY: UnitState("loaded", "inactive", "enabled")}},
        [f"systemctl enable --now {CHRONY}"],
    ),
    "run: not at boot": (
        run,
        {UnitStates: {CHRONY: UnitState("loaded", "active", "disabled")}},
        [f"systemctl enable --now {CHRONY}"],
    ),
    "run: runs": (
        run,
        {UnitStates: {CHRONY: UnitState("loaded", "active", "enabled")}},
        [f"nothing to do: units enabled and running: {CHRONY}"],
    ),
    "swap: a partition": (
        swap_off,
        {SwapState: Swap(("/dev/sda2",), ("/dev/sda2 none swap sw 0 0",), ("dev-sda2.swap", "swap.target"))},
        [COMMENT_FSTAB, "systemctl mask --now dev-sda2.swap swap.target", "swapoff --all"],
    ),
    "swap: zram": (
        swap_off,
        {SwapState: Swap(("/dev/zram0",), (), ("dev-zram0.swap", "zramswap.service"))},
        ["systemctl mask --now dev-zram0.swap zramswap.service", "swapoff --all"],
    ),
    "swap: off": (swap_off, {SwapState: Swap()}, ["nothing to do: swap is off"]),
    "host name: another in both places": (
        set_hostname,
        {Naming: Names("debian", "debian")},
        ["echo gpu-01 > /etc/hostname", "hostname gpu-01"],
    ),
    "host name: another at boot": (
        set_hostname,
        {Naming: Names("gpu-01", "debian")},
        ["echo gpu-01 > /etc/hostname"],
    ),
    "host name: as wanted": (
        set_hostname,
        {Naming: Names("gpu-01", "gpu-01")},
        ["nothing to do: host name is gpu-01"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_commands(case: str) -> None:
    operation, facts, commands = CASES[case]
    assert plan(operation, facts) == "\n     ".join(["x", *commands]) + "\n"
