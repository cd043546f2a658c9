"""Plans of the role fabric_manager: by hardware, branch and family, and for hosts that lose it again."""

from __future__ import annotations

from typing import Any

import pytest

from gpufleet.facts.boot import RebootRequired
from roles.fabric_manager.deploy import fabric_manager
from tests.support.companion_world import CompanionWorld, companion_plan, versions_plan
from tests.support.driver_facts import without_noops
from tests.support.plans import assert_plan

MARKS = {"el-9": "@-1"}
WAITS = {RebootRequired: {"nvidia-driver": "module nvidia 570.195.03 is loaded, 580.105.08 is wanted"}}
ROLE = "fabric_manager"
VERSIONS = ("570.195.03", "580.105.08", "590.48.01")


def data(version: str = "580.105.08", **options: Any) -> dict[str, Any]:
    return {"nvidia_driver": {"version": version, "source": "nvidia"}, ROLE: options}


def world(release: str, **given: Any) -> CompanionWorld:
    return CompanionWorld(**{"mark": MARKS.get(release, "-1"), "is_el": release.startswith("el"), **given})


@pytest.mark.parametrize("release", ["ubuntu-24.04", "debian-12", "el-9"])
@pytest.mark.parametrize("machine", ["hgx-h100", "hgx-b200"])
def test_installed(machine: str, release: str) -> None:
    """Names change at 580, on EL too; a second run changes nothing."""
    plans: dict[str, str] = {}
    for version in VERSIONS:
        found = world(release)
        plans[version] = without_noops(companion_plan(fabric_manager, found, release, machine, data(version)))
        assert without_noops(companion_plan(fabric_manager, found, release, machine, data(version))) == ""
    assert_plan(ROLE, f"{machine}_{release}", versions_plan(plans))


@pytest.mark.parametrize("release", ["ubuntu-24.04", "el-9"])
def test_off_leaves_nothing(release: str) -> None:
    found = world(release)
    companion_plan(fabric_manager, found, release, "hgx-b200", data())
    text = companion_plan(fabric_manager, found, release, "hgx-b200", data(run="off"))
    assert_plan(ROLE, f"off_{release}", without_noops(text))
    assert found.installed.keys() <= {"infiniband-diags"}
    assert [path for path in found.files if "nvidia-fabricmanager" in path or "nvlink" in path] == []
    assert without_noops(companion_plan(fabric_manager, found, release, "hgx-b200", data(run="off"))) == ""


@pytest.mark.parametrize("machine", ["gb200-tray", "gcp-a3", "l40s-pcie"])
def test_not_where_somebody_else_runs_it(machine: str) -> None:
    text = companion_plan(fabric_manager, world("ubuntu-24.04"), "ubuntu-24.04", machine, data())
    assert_plan(ROLE, f"not_on_{machine}", text)


@pytest.mark.parametrize(
    ("case", "machine", "given"),
    [
        ("no_key", "hgx-h100", {"nvidia_driver": {"version": "580.105.08", "source": "nvidia"}}),
        ("another_version", "hgx-h100", data(version="580.95.05") | {ROLE: {"version": "570.195.03"}}),
        ("on_a_tray", "gb200-tray", data(run="on")),
        ("no_driver", "hgx-h100", {ROLE: {}}),
    ],
)
def test_otherwise(case: str, machine: str, given: dict[str, Any]) -> None:
    assert_plan(ROLE, case, companion_plan(fabric_manager, world("ubuntu-24.04"), "ubuntu-24.04", machine, given))


def test_driver_that_waits_for_a_reboot() -> None:
    found = world("ubuntu-24.04")
    text = companion_plan(fabric_manager, found, "ubuntu-24.04", "hgx-h100", data(), changes=WAITS)
    assert_plan(ROLE, "reboot_waits", without_noops(text))
    assert found.daemons["nvidia-fabricmanager.service"].active == "inactive"


def test_package_without_the_late_start() -> None:
    found = world("ubuntu-24.04")
    companion_plan(fabric_manager, found, "ubuntu-24.04", "hgx-h100", data())
    found.shipped = "[Unit]\nAfter=network-online.target\n"
    found.stale.add("nvidia-fabricmanager.service")
    text = companion_plan(fabric_manager, found, "ubuntu-24.04", "hgx-h100", data())
    assert_plan(ROLE, "mended_package", without_noops(text))
