"""Faults that cannot be injected, and the ones kept on the controller."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpufleet.errors import LabError
from gpufleet.lab import faults, state
from gpufleet.lab.hosts import LabHost
from gpufleet.lab.lab import Lab
from gpufleet.lab.state import State


@pytest.fixture
def hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[LabHost]:
    """Two hosts of a lab that has state but no containers."""
    monkeypatch.setenv("GPUFLEET_STATE_DIR", str(tmp_path))
    return [LabHost(f"gpu-0{n}", "debian-12", "hgx-h100", f"10.213.0.1{n}", State("demo")) for n in (1, 2)]


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        pytest.param(
            "dpkg-lock",
            None,
            "host gpu-01: expected a known fault, found `dpkg-lock`; did you mean dpkg-locked?",
            id="misspelled",
        ),
        pytest.param(
            "flood",
            None,
            "host gpu-01: expected a known fault, found `flood`; choose one of gpu-lost, xid, ecc-uncorrectable, "
            "remap-pending, module-in-use, secure-boot, mok-unattended, no-return-from-reboot, disk-full, apt-down, "
            "dpkg-locked, ssh-refused, slow",
            id="unlike any",
        ),
        pytest.param(
            "slow",
            None,
            "host gpu-01: expected milliseconds for the fault slow, found no value; "
            "give a whole number, as in `gpufleet lab fault gpu-01 slow 200`",
            id="no value",
        ),
        pytest.param(
            "slow",
            "20ms",
            "host gpu-01: expected milliseconds for the fault slow, found `20ms`; "
            "give a whole number, as in `gpufleet lab fault gpu-01 slow 200`",
            id="not a number",
        ),
    ],
)
def test_a_fault_that_cannot_be(hosts: list[LabHost], kind: str, value: str | None, message: str) -> None:
    with pytest.raises(LabError) as refusal:
        hosts[0].fault(kind, value)
    assert str(refusal.value) == message


def test_the_archive_refuses_exactly_the_hosts_with_the_fault(hosts: list[LabHost]) -> None:
    first, second = hosts
    for host in (first, second, first):
        host.fault("apt-down")
    assert faults.denied(first) == [first.address, second.address]
    first.fault("apt-down", clear=True)
    first.fault("apt-down", clear=True)
    assert faults.denied(first) == [second.address]


def test_hardware_faults_are_read_from_the_hosts_directory(hosts: list[LabHost]) -> None:
    path = hosts[0].state.host("gpu-01") / "faults.json"
    assert faults.hardware(hosts[0]) == []
    state.write(path, '{"gpu-lost": 3, "xid": [], "remap-pending": 5}')
    assert faults.hardware(hosts[0]) == ["gpu-lost", "remap-pending"]


def test_an_unknown_lab_and_an_unknown_host(hosts: list[LabHost]) -> None:
    with pytest.raises(LabError) as refusal:
        Lab.load("demo")
    assert str(refusal.value) == (
        "lab demo: expected a lab that is up, found no lab at all; run `gpufleet lab up --lab demo`"
    )
    state.write(State("demo").record, '{"hosts": []}')
    with pytest.raises(LabError) as refusal:
        Lab.load("dem")
    assert str(refusal.value) == "lab dem: expected a lab that is up, found only demo; run `gpufleet lab up --lab dem`"
    with pytest.raises(LabError) as refusal:
        Lab("demo", tuple(hosts)).host("gpu-1")
    assert str(refusal.value) == "lab demo: expected a known host, found `gpu-1`; did you mean gpu-01?"
