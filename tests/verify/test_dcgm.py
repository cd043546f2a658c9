"""Checks of the role `dcgm`: one major for the driver's CUDA, a host engine that answers, none where none belongs."""

from __future__ import annotations

import pytest

from gpufleet.facts.hardware import PciDevices
from gpufleet.facts.packages import InstalledVersions
from gpufleet.health import Probe
from gpufleet.stack import driver_names
from gpufleet.stack.gpus import nvidia_gpus
from roles.dcgm.options import Dcgm
from roles.dcgm.steps import ALL, UNIT, others
from tests.verify import companion_readings
from tests.verify.companion_readings import Companion, Declared, unit_probe

PROBE = {
    **companion_readings.PROBE,
    **unit_probe(UNIT),
    "pci": PciDevices().command(),
    "engine": "timeout 30 dcgmi discovery -l 2>&1 | head -n 1",
}
AFTER = ("nvidia-persistenced.service", "nvidia-fabricmanager.service")
BEFORE = ("kubelet.service", "slurmd.service")


@pytest.fixture
def found(probe: Probe, declared: Declared) -> Companion:
    """Read the host."""
    return Companion.read(probe, declared, "dcgm", "dcgm")


@pytest.fixture
def runs(found: Companion, declared: Declared) -> bool:
    """Whether the host engine is to run here."""
    options: Dcgm = declared(Dcgm)
    return bool(found.wanted) and options.run


def test_stack_fits(found: Companion) -> None:
    said = found.says_what_does_not_fit()
    assert not said, f"DCGM: expected a stack that fits, found {said}"


def test_packages_are_the_chosen_version(found: Companion) -> None:
    said = found.says_versions()
    assert not said, f"DCGM: {said}"


def test_packages_are_held(found: Companion) -> None:
    said = found.says_holds()
    assert not said, f"DCGM: {said}"


def test_other_majors_are_not_installed(found: Companion) -> None:
    if found.chosen and found.wanted:
        installed = InstalledVersions().process(found.probe["packages"].lines)
        beside = sorted(driver_names.matching(installed, others(found.chosen, found.wanted)))
        assert not beside, f"DCGM: expected no other major of it or of CUDA, found {', '.join(beside)}"


def test_host_engine_is_as_declared(found: Companion, runs: bool) -> None:
    said = found.says_unit(UNIT, "active and enabled" if runs else "inactive and disabled") if found.wanted else ""
    assert not said, f"{UNIT}: {said}"


def test_host_engine_sees_every_gpu(found: Companion, runs: bool) -> None:
    gpus = len(nvidia_gpus(PciDevices().process(found.probe["pci"].lines)))
    expected, answer = f"{gpus} GPU{'s' * (gpus != 1)} found.", found.probe["engine"].text
    assert not runs or answer == expected, f"dcgmi discovery: expected {expected!r}, found {answer!r}"


def test_order_at_boot(found: Companion) -> None:
    said = found.says_order(UNIT, AFTER, BEFORE) if found.wanted else ""
    assert not said, f"{UNIT}: {said}"


def test_nothing_where_none_belongs(found: Companion) -> None:
    said = found.says_leftovers(UNIT, [ALL])
    assert not said, f"DCGM: {said}"
