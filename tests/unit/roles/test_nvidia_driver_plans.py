"""Plans of the role nvidia_driver: what it does to hosts in every state that it knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gpufleet.facts.initramfs import StaleImages
from gpufleet.facts.kernel import Holder
from gpufleet.facts.nvidia import RunfileTraces
from gpufleet.facts.secure_boot import EnrolledKey, EnrolledKeys, SecureBoot
from gpufleet.operations.nvidia import REBOOT_KEY
from gpufleet.options import mok
from gpufleet.options.mok import MachineOwnerKey
from roles.nvidia_driver.deploy import nvidia_driver
from tests.support.driver_cells import options, world
from tests.support.driver_facts import V100, plan_of
from tests.support.driver_world import World
from tests.support.plans import assert_plan

DEBIAN, TRIXIE, UBUNTU, EL9 = "debian-12", "debian-13", "ubuntu-24.04", "el-9"
OLD, NEW = "535.216.03", "535.261.03"
B570, B580, B590 = "570.195.03", "580.105.08", "590.48.01"
JOB = Holder("train-job", 4242, "alice")
IN_USE = f"module nvidia {OLD} is loaded, {NEW} is wanted; held by process 4242 (train-job, user alice)"
NO_ADMIN = {"NVreg_RestrictProfilingToAdminUsers": 0}
SIGNING = {"secure_boot": {"mok_key": {"command": ["true"]}, "mok_certificate": {"command": ["true"]}}}
PAIR = MachineOwnerKey(b"<certificate in DER>", b"<private key>", "Fleet key", "5ca1ab1e")
MIRROR = {"base_url": "https://mirror.example.org/nvidia/", "key_fingerprint": "0123456789" * 4}
ENROLLED = [EnrolledKey("CN=Fleet key", "5ca1ab1e")]

#: A world, a system, options, and facts that differ. Worlds are made when their case is played.
Case = tuple[Callable[[], World], str, dict[str, Any], dict[Any, Any]]


def debian(version: str = NEW, **given: Any) -> dict[str, Any]:
    """Options for the distribution's driver."""
    return options(version, **{"source": "distribution", **given})


def nvidia(version: str, **given: Any) -> dict[str, Any]:
    """Options for NVIDIA's repository."""
    return options(version, source="nvidia", **given)


def having(release: str, data: dict[str, Any], module: str = "") -> World:
    """A world that the role brought to these options; `module` is DKMS' name of it, where it is not the usual one."""
    host = world(release)
    if data["nvidia_driver"]["source"] == "distribution":
        host.dkms_module = module or "nvidia-current"
    plan_of(nvidia_driver, host, release, data)
    return host


def changed(host: World, **given: Any) -> World:
    """A world that is different in some way."""
    for name, value in given.items():
        setattr(host, name, value)
    return host


def with_companions(host: World, version: str, names: tuple[str, ...]) -> World:
    """A host on which other roles installed and held what goes with the driver."""
    host.installed |= dict.fromkeys(names, host.version(version))
    host.held |= set(names)
    return host


SWITCHES = ("nvidia-fabricmanager-570", "libnvidia-nscq-570")
CASES: dict[str, Case] = {
    "fresh": (lambda: world(DEBIAN, dkms_module="nvidia-current"), DEBIAN, debian(), {}),
    "converged": (lambda: having(DEBIAN, debian()), DEBIAN, debian(), {}),
    "upgrade": (lambda: having(DEBIAN, debian(OLD)), DEBIAN, debian(), {}),
    "downgrade": (lambda: having(DEBIAN, debian()), DEBIAN, debian(OLD), {}),
    "in_use": (lambda: changed(having(DEBIAN, debian(OLD)), holders=[JOB]), DEBIAN, debian(), {}),
    "reboot_required": (
        lambda: changed(having(DEBIAN, debian()), loaded=OLD, holders=[JOB], marks={REBOOT_KEY: IN_USE}),
        DEBIAN,
        debian(),
        {},
    ),
    "reboot_if_required": (
        lambda: changed(having(DEBIAN, debian()), loaded=OLD, holders=[JOB], marks={REBOOT_KEY: IN_USE}),
        DEBIAN,
        debian(reboot="if-required"),
        {},
    ),
    "module_options": (
        lambda: changed(having(DEBIAN, debian()), parameters={"RestrictProfilingToAdminUsers": "1"}),
        DEBIAN,
        debian(module_options=NO_ADMIN),
        {StaleImages: ["6.1.0-50-amd64"]},
    ),
    "module_options_withdrawn": (
        lambda: having(DEBIAN, debian(module_options=NO_ADMIN)),
        DEBIAN,
        debian(),
        {StaleImages: ["6.1.0-50-amd64"]},
    ),
    "removal_with_module_options": (
        lambda: having(EL9, nvidia(B590, module_options=NO_ADMIN)),
        EL9,
        {"nvidia_driver": {"state": "absent"}},
        {StaleImages: ["5.14.0-570.17.1.el9_6.x86_64"]},
    ),
    "not_built": (lambda: world(DEBIAN, dkms_module="nvidia-current", builds=False), DEBIAN, debian(), {}),
    "no_persistence": (lambda: having(DEBIAN, debian()), DEBIAN, debian(persistence=False), {}),
    "absent": (lambda: having(DEBIAN, debian()), DEBIAN, {"nvidia_driver": {"state": "absent"}}, {}),
    "absent_again": (lambda: world(DEBIAN), DEBIAN, {"nvidia_driver": {"state": "absent"}}, {}),
    "no_gpu": (lambda: world(DEBIAN), DEBIAN, debian(), {"gpu": ""}),
    "no_version": (lambda: world(DEBIAN), DEBIAN, {}, {}),
    "wrong_flavor": (lambda: world(DEBIAN), DEBIAN, debian(flavor="open"), {"gpu": V100}),
    "no_such_version": (lambda: having(DEBIAN, debian(OLD)), DEBIAN, debian("535.999.99"), {}),
    "to_nvidias_repository": (
        lambda: changed(having(DEBIAN, debian()), dkms_module="nvidia"),
        DEBIAN,
        nvidia(B580),
        {},
    ),
    "tesla_535_to_550": (
        lambda: changed(having(TRIXIE, debian(NEW), module="nvidia-tesla-535"), dkms_module="nvidia-current"),
        TRIXIE,
        debian("550.163.01"),
        {},
    ),
    "upgrade_570_580": (
        lambda: with_companions(having(UBUNTU, nvidia(B570)), B570, SWITCHES),
        UBUNTU,
        nvidia(B580),
        {},
    ),
    "upgrade_580_590": (lambda: having(UBUNTU, nvidia(B580)), UBUNTU, nvidia(B590), {}),
    "downgrade_590_580": (lambda: having(UBUNTU, nvidia(B590)), UBUNTU, nvidia(B580), {}),
    "flavor_switch": (lambda: having(UBUNTU, nvidia(B580)), UBUNTU, nvidia(B580, flavor="proprietary"), {}),
    "removal_ubuntu": (lambda: having(UBUNTU, nvidia(B590)), UBUNTU, {"nvidia_driver": {"state": "absent"}}, {}),
    "upgrade_570_580_el9": (lambda: having(EL9, nvidia(B570)), EL9, nvidia(B580), {}),
    "flavor_switch_el9": (lambda: having(EL9, nvidia(B580)), EL9, nvidia(B580, flavor="proprietary"), {}),
    "downgrade_590_580_el9": (lambda: having(EL9, nvidia(B590)), EL9, nvidia(B580), {}),
    "removal_el9": (lambda: having(EL9, nvidia(B590)), EL9, {"nvidia_driver": {"state": "absent"}}, {}),
    "mirror": (
        lambda: world(UBUNTU),
        UBUNTU,
        nvidia(B580) | {"stack": {"repositories": {"cuda": MIRROR}}},
        {},
    ),
    "no_fingerprint": (lambda: world("el-10"), "el-10", nvidia(B580), {}),
    "runfile": (lambda: world(UBUNTU), UBUNTU, nvidia(B580), {RunfileTraces: ["/usr/bin/nvidia-uninstall"]}),
    "secure_boot_refused": (lambda: world(UBUNTU), UBUNTU, nvidia(B580), {SecureBoot: "enabled"}),
    "secure_boot_off": (lambda: world(UBUNTU), UBUNTU, nvidia(B580), {SecureBoot: "disabled"}),
    "secure_boot_not_enrolled": (lambda: world(UBUNTU), UBUNTU, nvidia(B580, **SIGNING), {SecureBoot: "enabled"}),
    "secure_boot_signed": (
        lambda: world(UBUNTU),
        UBUNTU,
        nvidia(B580, **SIGNING),
        {SecureBoot: "enabled", EnrolledKeys: ENROLLED},
    ),
    "secure_boot_removal": (
        lambda: having(UBUNTU, nvidia(B580, **SIGNING)),
        UBUNTU,
        {"nvidia_driver": {"state": "absent"}},
        {SecureBoot: "enabled"},
    ),
}


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that can be read in a plan; real ones are another test's."""
    monkeypatch.setattr(mok, "pair", lambda *_: PAIR)


@pytest.mark.parametrize("case", CASES)
def test_plan(case: str) -> None:
    host, release, data, changes = CASES[case]
    assert_plan("nvidia_driver", case, plan_of(nvidia_driver, host(), release, data, changes))
