"""Plans of the role dcgm: by the driver's CUDA major, on every family, over older DCGM, and for hosts that lose it."""

from __future__ import annotations

from typing import Any

import pytest

from gpufleet.facts.boot import RebootRequired
from gpufleet.facts.units import UnitState
from roles.dcgm.deploy import dcgm
from tests.support.companion_world import CompanionWorld, companion_plan, versions_plan
from tests.support.driver_facts import without_noops
from tests.support.plans import assert_plan

ROLE, UNIT, RELEASE = "dcgm", "nvidia-dcgm.service", "ubuntu-24.04"
WAITS = {RebootRequired: {"nvidia-driver": "module nvidia 570.195.03 is loaded, 580.105.08 is wanted"}}


def data(driver: str = "580.105.08", **options: Any) -> dict[str, Any]:
    return {"nvidia_driver": {"version": driver, "source": "nvidia"}, ROLE: {"version": "4.4.1", **options}}


def world(release: str = RELEASE, **given: Any) -> CompanionWorld:
    return CompanionWorld(**{"mark": "@-1" if release == "el-9" else "-1", "is_el": release == "el-9", **given})


@pytest.mark.parametrize("release", ["ubuntu-24.04", "debian-12", "el-9"])
def test_installed(release: str) -> None:
    """CUDA 12 with 570, CUDA 13 from 580 on, and what is recommended."""
    plans: dict[str, str] = {}
    for version in ("570.195.03", "580.105.08"):
        found = world(release)
        plans[version] = without_noops(companion_plan(dcgm, found, release, "hgx-h100", data(version)))
        assert without_noops(companion_plan(dcgm, found, release, "hgx-h100", data(version))) == ""
    assert_plan(ROLE, f"hgx-h100_{release}", versions_plan(plans))


@pytest.mark.parametrize("release", ["ubuntu-24.04", "el-9"])
def test_another_cuda_major_goes(release: str) -> None:
    found = world(release)
    companion_plan(dcgm, found, release, "hgx-h100", data("570.195.03"))
    text = companion_plan(dcgm, found, release, "hgx-h100", data("580.105.08"))
    assert_plan(ROLE, f"12_to_13_{release}", without_noops(text))
    assert sorted(name for name in found.installed if "cuda" in name) == [
        "datacenter-gpu-manager-4-cuda13",
        "datacenter-gpu-manager-4-proprietary-cuda13",
    ]


def test_old_major_goes_and_headers_stay() -> None:
    old = {"datacenter-gpu-manager": "1:3.3.6", "datacenter-gpu-manager-4-dev": "1:4.4.1-1"}
    found = world(installed=dict(old), daemons={UNIT: UnitState("loaded", "active", "enabled")}, stale={UNIT})
    text = companion_plan(dcgm, found, RELEASE, "hgx-h100", data())
    assert_plan(ROLE, "over_dcgm_3", without_noops(text))
    assert found.installed.keys() & old.keys() == {"datacenter-gpu-manager-4-dev"}


@pytest.mark.parametrize(
    ("case", "machine", "given"),
    [
        ("no_key", "hgx-h100", {"nvidia_driver": {"version": "580.105.08", "source": "nvidia"}}),
        ("two_majors", "v100-sxm2", data()),
        ("wrong_major", "hgx-h100", data(version="4.4.1-cuda12")),
        ("cpu_only", "cpu-only", data()),
    ],
)
def test_otherwise(case: str, machine: str, given: dict[str, Any]) -> None:
    assert_plan(ROLE, case, companion_plan(dcgm, world(), RELEASE, machine, given))


def test_installed_but_not_run_and_absent() -> None:
    found = world()
    companion_plan(dcgm, found, RELEASE, "hgx-h100", data())
    text = companion_plan(dcgm, found, RELEASE, "hgx-h100", data(run=False))
    assert_plan(ROLE, "not_run", without_noops(text))
    assert_plan(ROLE, "absent", without_noops(companion_plan(dcgm, found, RELEASE, "hgx-h100", data(state="absent"))))
    assert (found.installed, [path for path in found.files if "dcgm" in path]) == ({}, [])
    assert without_noops(companion_plan(dcgm, found, RELEASE, "hgx-h100", data(state="absent"))) == ""


def test_driver_that_waits_for_a_reboot() -> None:
    found = world()
    companion_plan(dcgm, found, RELEASE, "hgx-h100", data(), changes=WAITS)
    assert (found.daemons[UNIT].active, found.daemons[UNIT].file) == ("inactive", "enabled")
