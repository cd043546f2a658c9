"""The role `nvidia_driver` on every family, with NVIDIA's packages from the lab: one story for all hosts side by side.

Install 570, upgrade to 580 (fabric manager changes its name) and 590 (the suffix is dropped), switch the flavor, go
back to 580, remove. After each stage every part has one version, all of it is held, and a second run changes nothing.
The hosts of Ubuntu and Rocky Linux are stand-ins. The tests run in their order.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gpufleet.health import Outcome
from gpufleet.lab.hosts import HostSpec
from gpufleet.lab.inventory import nvidia_repository
from gpufleet.lab.lab import Lab
from tests.support.driver_elsewhere import ELSEWHERE, UNSIGNED
from tests.support.driver_families import HOSTS, NAMES, STAGES, leftovers, look
from tests.support.lab import Fleet, lab_name

DEPLOYS = ("driver.py", "fabric_manager.py")


@pytest.fixture(scope="module")
def families(state: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """One host of each family, with their base."""
    name = f"{lab_name()}-families"
    try:
        fleet = Fleet(
            Lab.up(name, [HostSpec.parse(text) for text in HOSTS], say=print),
            tmp_path_factory.mktemp("families") / "families.py",
        )
        fleet.declare(**{host: {"base": {}} for host in NAMES})
        assert fleet.deploy("base.py").failures() == []
        yield fleet
    finally:
        Lab.remove(name)


@pytest.mark.parametrize("stage", STAGES)
def test_stage(families: Fleet, stage: str) -> None:
    families.declare(**{host: STAGES[stage].data(host) for host in NAMES})
    assert families.deploy(*DEPLOYS).failures() == []
    again = families.deploy(*DEPLOYS)
    assert (again.failures(), again.changed) == ([], 0)
    expected = {host: STAGES[stage].sight(host) for host in NAMES}
    assert {host: look(families.host(host)) for host in NAMES} == expected


def test_every_check_passes(families: Fleet) -> None:
    verification = families.verify("nvidia_driver")
    assert [check for check in verification.checks if check.outcome is not Outcome.PASS] == []
    assert {*verification.hosts} == {*NAMES}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_deviation_is_seen(families: Fleet, name: str) -> None:
    host, deviation = ELSEWHERE[name]
    families.host(host).execute(deviation.command)
    found = failed(families, host)
    families.host(host).execute(deviation.back)
    key = nvidia_repository()["key_fingerprint"]
    assert found == {check: text.format(fingerprint=key) for check, text in deviation.messages.items()}


def test_unsigned_module_is_seen_and_refused(families: Fleet) -> None:
    host = families.host("n12")
    signer = host.execute("modinfo -F signer nvidia").stdout.strip() or "no signature"
    host.fault("secure-boot")
    found, result = failed(families, "n12"), families.deploy("driver.py", limit=("n12",))
    host.fault("secure-boot", clear=True)
    assert found == {check: text.format(signer=signer) for check, text in UNSIGNED.items()}
    [error] = result.failures()
    assert "n12: Secure Boot: expected signed kernel modules, found modules that DKMS would build without" in error


def failed(fleet: Fleet, host: str) -> dict[str, str]:
    """Message of every check that does not pass on a host."""
    checks = fleet.verify("nvidia_driver", limit=(host,)).of(host)
    return {check.check: check.message for check in checks if check.outcome is not Outcome.PASS}


def test_removal_leaves_nothing(families: Fleet) -> None:
    families.declare(
        **{host: {"nvidia_driver": {"state": "absent"}, "fabric_manager": {"run": "off"}} for host in NAMES}
    )
    assert families.deploy("driver.py").failures() == []
    assert {host: leftovers(families.host(host)) for host in NAMES} == {host: [] for host in NAMES}
    result = families.deploy("driver.py")
    assert (result.failures(), result.changed) == ([], 0)
