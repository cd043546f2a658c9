"""Plans of the role nvidia_driver: what it does to hosts in every state that it knows."""

from __future__ import annotations

from typing import Any

import pytest

from gpufleet.facts.apt import AvailableVersions
from gpufleet.facts.hardware import PciDevice, PciDevices
from gpufleet.facts.kernel import Holder
from gpufleet.operations.nvidia import REBOOT_KEY
from roles.nvidia_driver.deploy import nvidia_driver
from tests.support.driver_facts import HEADERS, NEW, OLD, Machine, converged, facts
from tests.support.plans import assert_plan, plan

JOB = Holder("train-job", 4242, "alice")
IN_USE = f"module nvidia {OLD} is loaded, {NEW} is wanted; held by process 4242 (train-job, user alice)"
WAITING = converged(NEW, loaded=OLD, holders=[JOB], marks={REBOOT_KEY: IN_USE})
V100 = PciDevice("0000:1b:00.0", "10de", "1db6", "030200")
NO_ADMIN = {"NVreg_RestrictProfilingToAdminUsers": 0}


def settings(**options: Any) -> dict[str, Any]:
    return {"nvidia_driver": {"version": NEW, **options}}


CASES: dict[str, tuple[dict[Any, Any], dict[str, Any]]] = {
    "fresh": (facts(Machine(), converged(NEW, daemon=False)), settings()),
    "converged": (facts(converged(NEW)), settings()),
    "upgrade": (facts(converged(OLD), converged(NEW)), settings()),
    "downgrade": (facts(converged(NEW), converged(OLD)), settings(version=OLD)),
    "in_use": (facts(converged(OLD, holders=[JOB]), WAITING), settings()),
    "reboot_required": (facts(WAITING), settings()),
    "reboot_if_required": (facts(WAITING), settings(reboot="if-required")),
    "module_options": (
        facts(
            converged(NEW, parameters={"RestrictProfilingToAdminUsers": "1"}),
            converged(NEW, parameters={"RestrictProfilingToAdminUsers": "0"}),
        ),
        settings(module_options=NO_ADMIN),
    ),
    "not_built": (facts(converged(NEW, built="")), settings()),
    "no_persistence": (facts(converged(NEW)), settings(persistence=False)),
    "open": (facts(converged(NEW)), settings(flavor="open")),
    "absent": (facts(converged(NEW), Machine()), settings(state="absent")),
    "absent_again": (facts(Machine()), settings(state="absent")),
    "no_gpu": (facts(Machine(), **{}) | {PciDevices: []}, settings()),
    "no_version": (facts(Machine()), {}),
    "wrong_flavor": (facts(Machine()) | {PciDevices: [V100]}, settings(flavor="open")),
    "no_headers": (
        facts(converged(NEW)) | {AvailableVersions: lambda package: [] if package == HEADERS else ["1.0-1"]},
        settings(),
    ),
    "no_such_version": (facts(converged(OLD)), settings(version="999.99.99")),
}


@pytest.mark.parametrize("case", CASES)
def test_plan(case: str) -> None:
    assert_plan("nvidia_driver", case, plan(nvidia_driver, *CASES[case]))
