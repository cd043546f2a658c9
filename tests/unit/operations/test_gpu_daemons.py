"""Daemons of the driver: every state that systemd may have them in, and what is done about it."""

from __future__ import annotations

from typing import Any

import pytest

from gpufleet.facts.boot import RebootRequired
from gpufleet.facts.gpu_daemons import GpuDaemon, GpuDaemonState
from gpufleet.facts.kernel import LoadedModules
from gpufleet.facts.units import UnitState
from gpufleet.operations import gpu_daemons
from tests.support.plans import plan

UNIT = "nvidia-imex.service"
LOG = f"|| {{ journalctl --unit {UNIT} --lines 5 --output cat >&2; exit 1; }}"
RUNS, STOPPED = UnitState("loaded", "active", "enabled"), UnitState("loaded", "inactive", "disabled")
FAILED, MASKED = UnitState("loaded", "failed", "enabled"), UnitState("masked", "inactive", "masked")
WAITS = {"nvidia-driver": "module nvidia 570.195.03 is loaded, 580.95.05 is wanted; held by process 7 (x, user y)"}
NO_COMMAND = "nothing to do: "


def commands(operation: Any, daemon: GpuDaemon, **facts: Any) -> list[str]:
    """Lines of the plan of one operation on a host whose daemon is like this."""
    known: dict[Any, Any] = {
        GpuDaemonState: daemon,
        RebootRequired: facts.get("waits", {}),
        LoadedModules: {"nvidia": "", "gdrdrv": ""},
    }
    _, *lines = plan(operation, known).splitlines()
    return [line.strip() for line in lines]


@pytest.mark.parametrize(
    ("daemon", "expected"),
    [
        (GpuDaemon(RUNS, started=7, changed=7), [f"{NO_COMMAND}{UNIT} is enabled and running"]),
        (GpuDaemon(RUNS, started=7, changed=8), [f"systemctl restart {UNIT} {LOG}"]),
        (GpuDaemon(RUNS, is_unread=True, started=7), ["systemctl daemon-reload"]),
        (
            GpuDaemon(RUNS, is_unread=True, started=7, changed=8),
            ["systemctl daemon-reload", f"systemctl restart {UNIT} {LOG}"],
        ),
        (GpuDaemon(STOPPED, changed=8), [f"systemctl enable {UNIT}", f"systemctl start {UNIT} {LOG}"]),
        (GpuDaemon(FAILED), [f"systemctl start {UNIT} {LOG}"]),
        (
            GpuDaemon(MASKED),
            [f"systemctl unmask {UNIT}", f"systemctl enable {UNIT}", f"systemctl start {UNIT} {LOG}"],
        ),
    ],
)
def test_it_runs(daemon: GpuDaemon, expected: list[str]) -> None:
    assert commands(lambda: gpu_daemons.running(unit=UNIT), daemon) == expected


@pytest.mark.parametrize(
    ("daemon", "expected"),
    [
        (GpuDaemon(STOPPED), [f"systemctl enable {UNIT}"]),
        (GpuDaemon(FAILED), [f"{NO_COMMAND}{UNIT} starts with the reboot that the driver waits for"]),
        (
            GpuDaemon(RUNS, started=7, changed=8),
            [f"{NO_COMMAND}{UNIT} starts with the reboot that the driver waits for"],
        ),
        (GpuDaemon(MASKED), [f"systemctl unmask {UNIT}", f"systemctl enable {UNIT}"]),
    ],
)
def test_it_starts_nothing_while_the_driver_waits_for_a_reboot(daemon: GpuDaemon, expected: list[str]) -> None:
    assert commands(lambda: gpu_daemons.running(unit=UNIT), daemon, waits=WAITS) == expected


@pytest.mark.parametrize(("modules", "restarts"), [(["gdrdrv"], False), (["nvidia-peermem", "gdrdrv"], True)])
def test_modules_that_were_unloaded_under_a_unit_are_loaded_again(modules: list[str], restarts: bool) -> None:
    found = commands(lambda: gpu_daemons.running(unit=UNIT, modules=modules), GpuDaemon(RUNS, started=7))
    assert (found == [f"systemctl restart {UNIT} {LOG}"]) == restarts


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (UnitState(), [f"{NO_COMMAND}{UNIT} does not run"]),
        (STOPPED, [f"{NO_COMMAND}{UNIT} does not run"]),
        (RUNS, [f"systemctl disable --now {UNIT}"]),
        (UnitState("loaded", "inactive", "enabled"), [f"systemctl disable --now {UNIT}"]),
        (UnitState("loaded", "active", "disabled"), [f"systemctl disable --now {UNIT}"]),
        (MASKED, [f"systemctl unmask {UNIT}"]),
    ],
)
def test_it_is_stopped(state: UnitState, expected: list[str]) -> None:
    assert commands(lambda: gpu_daemons.stopped(unit=UNIT), GpuDaemon(state)) == expected
