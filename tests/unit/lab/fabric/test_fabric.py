"""Which fabric a lab shall have, and requests for one that it cannot have."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpufleet.errors import FaultsFoundError, LabError
from gpufleet.lab.fabric import fabric
from gpufleet.lab.fabric.fabric import Fabric
from gpufleet.lab.hosts import HostSpec
from gpufleet.lab.state import State, write
from tests.unit.lab.fabric.small import PLAN

HOSTS = [HostSpec(name, "debian-12", "hgx-a100") for name in ("gpu-01", "gpu-02", "other")]
LAB = State("demo")


@pytest.fixture
def path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("GPUFLEET_STATE_DIR", str(tmp_path / "state"))
    (tmp_path / "fabric.yaml").write_text(PLAN)
    return tmp_path / "fabric.yaml"


def test_a_lab_has_the_fabric_that_is_asked_for_and_keeps_it(path: Path) -> None:
    assert fabric.planned(None, LAB, HOSTS) is None
    plan = fabric.planned(path, LAB, HOSTS)
    assert plan is not None
    assert plan.path == path
    write(fabric.copy_of(LAB), PLAN)
    for again in (None, path):
        kept = fabric.planned(again, LAB, HOSTS)
        assert kept is not None
        assert kept.devices == plan.devices


def test_another_plan_is_refused(path: Path) -> None:
    write(fabric.copy_of(LAB), PLAN.replace("NDR", "HDR"))
    with pytest.raises(LabError) as refused:
        fabric.planned(path, LAB, HOSTS)
    assert str(refused.value) == (
        f"lab demo: expected the plan that its fabric was made of, found {path}; "
        "run `gpufleet lab down --lab demo` first"
    )


def test_a_host_may_not_be_called_fabric(path: Path) -> None:
    with pytest.raises(LabError) as refused:
        fabric.planned(path, LAB, [*HOSTS, HostSpec("fabric", "debian-12", "cpu-only")])
    assert str(refused.value) == (
        "lab demo: expected the name fabric left to the simulator, found a host called fabric; "
        "give the host another name"
    )


def test_a_plan_whose_hosts_the_lab_has_not_is_refused(path: Path) -> None:
    with pytest.raises(FaultsFoundError) as refused:
        fabric.planned(path, LAB, HOSTS[1:])
    assert str(refused.value) == (
        f"{path}: expected no faults, found 1 fault; correct the lines below; nothing was touched\n"
        "  gpu-01: hosts: not in the lab; name it as NAME=OS/PROFILE, or take it out of the plan"
    )


def test_a_lab_without_a_fabric(path: Path) -> None:
    with pytest.raises(LabError) as refused:
        Fabric.of(LAB, ())
    assert str(refused.value) == (
        "lab demo: expected a fabric, found none; give it one: `gpufleet lab up --lab demo --fabric FABRIC.yaml`"
    )
    write(fabric.copy_of(LAB), PLAN)
    assert list(Fabric.of(LAB, ()).plan.hosts) == ["gpu-01", "gpu-02"]
