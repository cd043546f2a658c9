"""The role `nvidia_driver` on every family, with NVIDIA's packages from the lab: one story for all hosts side by side.

Install 570, upgrade to 580 (fabric manager changes its name) and 590 (the suffix is dropped), switch the flavor, go
back to 580, sign under Secure Boot on one host, remove. After each stage every part has one version, fabric manager and
IMEX included, all of it is held, and a second run changes nothing. NVIDIA's repositories for Debian 13 and EL 10 begin
with 580: these two hosts start there. The hosts of Ubuntu and Rocky Linux are stand-ins. The tests run in their order.
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
from tests.support.driver_families import HOSTS, NAMES, OLD_580, STAGES, Stage, leftovers, look
from tests.support.driver_signing import SIGNER, OwnerKey, enroll, signer
from tests.support.lab import Fleet, lab_name

DEPLOYS = ("driver.py", "fabric_manager.py", "imex.py")
ROLES = ("nvidia_driver", "fabric_manager", "imex")
#: The host that gets Secure Boot, and where it keeps the certificate.
SECURE, CERTIFICATE = "u24", "/var/lib/dkms/gpufleet-mok.der"


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


@pytest.fixture(scope="module")
def owner_key(tmp_path_factory: pytest.TempPathFactory) -> OwnerKey:
    """The key that signs the modules of the host with Secure Boot."""
    return OwnerKey.make(tmp_path_factory.mktemp("owner"))


@pytest.mark.parametrize("stage", STAGES)
def test_stage(families: Fleet, stage: str) -> None:
    families.declare(**{host: STAGES[stage].data(host) for host in NAMES})
    assert families.deploy(*DEPLOYS).failures() == []
    again = families.deploy(*DEPLOYS)
    assert (again.failures(), again.changed) == ([], 0)
    expected = {host: STAGES[stage].sight(host) for host in NAMES}
    assert {host: look(families.host(host)) for host in NAMES} == expected


def test_every_check_passes(families: Fleet) -> None:
    verification = families.verify(*ROLES)
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


def test_unsigned_modules_are_seen_and_refused(families: Fleet) -> None:
    host = families.host(SECURE)
    host.fault("secure-boot")
    by_dkms = signer(host) or "no signature"
    assert failed(families, SECURE) == {check: text.format(signer=by_dkms) for check, text in UNSIGNED.items()}
    families.declare(**{SECURE: Stage(OLD_580).data(SECURE)})
    [error] = families.deploy("driver.py", limit=(SECURE,)).failures()
    assert (
        f"{SECURE}: Secure Boot: expected signed kernel modules, found modules that DKMS would build without" in error
    )
    assert look(host) == STAGES["downgrade to 580"].sight(SECURE)


def test_key_that_is_not_enrolled_is_refused_with_the_cure(families: Fleet, owner_key: OwnerKey) -> None:
    data = Stage(OLD_580).data(SECURE)
    families.declare(**{SECURE: {**data, "nvidia_driver": data["nvidia_driver"] | {"secure_boot": owner_key.data()}}})
    [error] = families.deploy("driver.py", limit=(SECURE,)).failures()
    assert (
        f"{SECURE}: Secure Boot: expected the key `{SIGNER}` among the machine owner keys that the firmware knows, "
        f"found {CERTIFICATE} not enrolled; run `mokutil --import {CERTIFICATE}`, choose a password, reboot, and "
        "confirm at the console"
    ) in error
    assert look(families.host(SECURE)) == STAGES["downgrade to 580"].sight(SECURE)


def test_dkms_signs_with_the_enrolled_key(families: Fleet) -> None:
    host = families.host(SECURE)
    enroll(host, CERTIFICATE)
    # The firmware lets nothing load that DKMS signed with a key of its own.
    assert look(host).loaded == ""
    assert families.deploy(*DEPLOYS, limit=(SECURE,)).failures() == []
    assert look(host) == Stage(OLD_580).sight(SECURE)
    assert [signer(host, module) for module in ("nvidia", "nvidia-uvm")] == [SIGNER, SIGNER]
    assert failed(families, SECURE) == {}
    again = families.deploy(*DEPLOYS, limit=(SECURE,))
    assert (again.failures(), again.changed) == ([], 0)


def test_removal_leaves_nothing(families: Fleet) -> None:
    gone = {"nvidia_driver": {"state": "absent"}, "fabric_manager": {"run": "off"}, "imex": {"run": "off"}}
    families.declare(**dict.fromkeys(NAMES, gone))
    assert families.deploy(*DEPLOYS).failures() == []
    assert {host: leftovers(families.host(host)) for host in NAMES} == {host: [] for host in NAMES}
    result = families.deploy(*DEPLOYS)
    assert (result.failures(), result.changed) == ([], 0)


def failed(fleet: Fleet, host: str) -> dict[str, str]:
    """Message of every check that does not pass on a host."""
    checks = fleet.verify("nvidia_driver", limit=(host,)).of(host)
    return {check.check: check.message for check in checks if check.outcome is not Outcome.PASS}
