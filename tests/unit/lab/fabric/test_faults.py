"""What the simulator is told to do, and in what order."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpufleet.errors import LabError
from gpufleet.fabric.plan import Plan
from gpufleet.lab.fabric import faults, wanted
from gpufleet.lab.fabric.simulator import Simulator
from gpufleet.lab.state import State
from tests.unit.lab.fabric.small import planned


class Told:
    """Takes the place of the simulator, and remembers what it was told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.began = "2026-11-23T13:50:00Z"
        self.lines: list[str] = []
        monkeypatch.setattr(Simulator, "ask", lambda _, *lines: self.lines.extend(lines))
        monkeypatch.setattr(Simulator, "set_port", lambda _, *words, **more: self.lines.append(f"{words} {more}"))
        monkeypatch.setattr(Simulator, "started", lambda _: self.began)

    def since(self) -> list[str]:
        """What came since the last look."""
        found, self.lines = self.lines, []
        return found


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Told:
    monkeypatch.setenv("GPUFLEET_STATE_DIR", str(tmp_path / "state"))
    return Told(monkeypatch)


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return planned(tmp_path)


LAB = State("demo")


def fault(plan: Plan, *words: str, clear: bool = False) -> None:
    faults.apply(LAB, plan, [], wanted.read(plan, words[0], words[1:]), clear=clear)


@pytest.mark.parametrize(
    ("words", "injected", "cleared"),
    [
        (["link-down", "leaf-01/1"], ['Unlink "leaf-01"[1]'], ['Link "leaf-01"[1] "gpu-01 mlx5_0"[1]']),
        (
            ["swapped", "leaf-01/1", "gpu-02 mlx5_1"],
            [
                'Unlink "leaf-01"[1]',
                'Unlink "gpu-02 mlx5_1"[1]',
                'Link "leaf-01"[1] "leaf-02"[2]',
                'Link "gpu-02 mlx5_1"[1] "gpu-01 mlx5_0"[1]',
            ],
            [
                'Unlink "leaf-01"[1]',
                'Unlink "gpu-02 mlx5_1"[1]',
                'Link "leaf-01"[1] "gpu-01 mlx5_0"[1]',
                'Link "gpu-02 mlx5_1"[1] "leaf-02"[2]',
            ],
        ),
        (
            ["slow", "leaf-01/1"],
            ["('leaf-01', 1) {'extended': 7}", "('gpu-01 mlx5_0', 1) {'extended': 7}"],
            ["('leaf-01', 1) {'extended': 15}", "('gpu-01 mlx5_0', 1) {'extended': 15}"],
        ),
        (
            ["slow", "leaf-01/2", "SDR"],
            ["('leaf-01', 2) {'speed': 1}", "('gpu-02 mlx5_0', 1) {'speed': 1}"],
            ["('leaf-01', 2) {'speed': 7}", "('gpu-02 mlx5_0', 1) {'speed': 7}"],
        ),
        (
            ["narrow", "leaf-01/8"],
            ["('leaf-01', 8) {'width': 1}", "('spine-01', 1) {'width': 1}"],
            ["('leaf-01', 8) {'width': 15}", "('spine-01', 1) {'width': 15}"],
        ),
        (
            ["errors", "leaf-01/1", "SymbolErrorCounter=500"],
            ['PerformanceSet "leaf-01"[1] PortCounters.SymbolErrorCounter=500'],
            ['PerformanceSet "leaf-01"[1] PortCounters.SymbolErrorCounter=0'],
        ),
    ],
)
def test_a_fault_comes_and_goes(
    told: Told, plan: Plan, words: list[str], injected: list[str], cleared: list[str]
) -> None:
    fault(plan, *words)
    assert told.since() == injected
    fault(plan, *words)
    assert (told.since(), len(faults.active(LAB, plan, []))) == ([], 1)
    fault(plan, *words, clear=True)
    assert told.since() == cleared
    fault(plan, *words, clear=True)
    assert (told.since(), faults.active(LAB, plan, [])) == ([], [])


def test_a_swap_is_cleared_from_any_of_its_ends(told: Told, plan: Plan) -> None:
    fault(plan, "swapped", "leaf-01/1", "leaf-01/2")
    told.since()
    fault(plan, "swapped", "gpu-02 mlx5_0", "gpu-01 mlx5_0", clear=True)
    assert told.since()[2:] == ['Link "leaf-01"[1] "gpu-01 mlx5_0"[1]', 'Link "leaf-01"[2] "gpu-02 mlx5_0"[1]']


def test_a_cable_has_one_fault_at_a_time(told: Told, plan: Plan) -> None:
    fault(plan, "slow", "leaf-01/1", "HDR")
    told.since()
    with pytest.raises(LabError) as refused:
        fault(plan, "link-down", "gpu-01 mlx5_0")
    assert str(refused.value) == (
        "cable leaf-01/1 - gpu-01 mlx5_0/1: expected no fault of it yet, found `slow leaf-01/1 HDR`; "
        "clear it first: `gpufleet lab fabric-fault --clear slow leaf-01/1 HDR`"
    )
    with pytest.raises(LabError, match="found `slow leaf-01/1 HDR`; clear it first"):
        fault(plan, "slow", "leaf-01/1", "FDR")
    assert told.since() == []


def test_counters_of_one_port_are_faults_of_their_own(told: Told, plan: Plan) -> None:
    for setting in ("SymbolErrorCounter=1", "PortRcvErrors=2", "SymbolErrorCounter=3"):
        fault(plan, "errors", "leaf-01/1", setting)
    assert faults.active(LAB, plan, []) == ["errors leaf-01/1 PortRcvErrors=2", "errors leaf-01/1 SymbolErrorCounter=3"]


def test_a_simulator_that_began_anew_has_no_fault(told: Told, plan: Plan) -> None:
    fault(plan, "link-down", "leaf-01/1")
    told.began = "2026-11-23T14:00:00Z"
    assert faults.active(LAB, plan, []) == []
