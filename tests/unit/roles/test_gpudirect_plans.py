"""Plans of the role gpudirect: DMA-BUF or peer memory with the reason, GDRCopy, and hosts that lose them again."""

from __future__ import annotations

from typing import Any

import pytest

from gpufleet.facts.boot import RebootRequired
from gpufleet.facts.dkms import DkmsModules
from roles.gpudirect.deploy import gpudirect
from tests.support.companion_world import CompanionWorld, companion_plan
from tests.support.driver_facts import without_noops
from tests.support.plans import assert_plan

ROLE, UNIT, RELEASE = "gpudirect", "gpufleet-gpudirect.service", "ubuntu-24.04"
BOTH = {"rdma": "peermem", "gdrcopy": "2.5.1"}
WAITS = {RebootRequired: {"nvidia-driver": "module nvidia 570.195.03 is loaded, 580.105.08 is wanted"}}


def data(flavor: str = "auto", **options: Any) -> dict[str, Any]:
    return {"nvidia_driver": {"version": "580.105.08", "source": "nvidia", "flavor": flavor}, ROLE: options}


def world(release: str = RELEASE, **given: Any) -> CompanionWorld:
    return CompanionWorld(**{"mark": "@-1" if release == "el-9" else "-1", "is_el": release == "el-9", **given})


@pytest.mark.parametrize(
    ("case", "machine", "given"),
    [
        ("dma_buf", "hgx-h100", data()),
        ("peermem_for_proprietary_modules", "hgx-h100", data("proprietary")),
        ("no_adapters", "l40s-pcie", data()),
        ("off", "hgx-h100", data(rdma="off")),
        ("no_key", "hgx-h100", {"nvidia_driver": {"version": "580.105.08", "source": "nvidia"}}),
        ("dma_buf_for_proprietary_modules", "hgx-h100", data("proprietary", rdma="dma-buf")),
        ("unknown_gdrcopy", "hgx-h100", data(gdrcopy="1.0")),
    ],
)
def test_path(case: str, machine: str, given: dict[str, Any]) -> None:
    assert_plan(ROLE, case, companion_plan(gpudirect, world(), RELEASE, machine, given))


@pytest.mark.parametrize("release", ["ubuntu-24.04", "debian-12", "el-9"])
def test_both(release: str) -> None:
    found = world(release)
    text = companion_plan(gpudirect, found, release, "hgx-h100", data(**BOTH))
    assert_plan(ROLE, f"both_{release}", without_noops(text))
    assert without_noops(companion_plan(gpudirect, found, release, "hgx-h100", data(**BOTH))) == ""


def test_one_goes_and_then_the_other() -> None:
    found = world()
    companion_plan(gpudirect, found, RELEASE, "hgx-h100", data(**BOTH))
    found.stale.add(UNIT)
    text = without_noops(companion_plan(gpudirect, found, RELEASE, "hgx-h100", data(rdma="auto", gdrcopy="2.5.1")))
    assert_plan(ROLE, "peermem_goes", text)
    assert_plan(ROLE, "gdrcopy_goes", without_noops(companion_plan(gpudirect, found, RELEASE, "hgx-h100", data())))
    assert without_noops(companion_plan(gpudirect, found, RELEASE, "hgx-h100", data())) == ""
    assert (found.installed, [path for path in found.files if "gpudirect" in path]) == ({}, [])


def test_a_build_that_did_not_come_is_made() -> None:
    found = world()
    text = companion_plan(gpudirect, found, RELEASE, "hgx-h100", data(**BOTH), changes={DkmsModules: lambda module: []})
    assert "timeout 1800 dkms install --force -m gdrdrv -v 2.5.1 -k 6.8.0-60-generic" in text


def test_modules_that_a_swap_unloaded_come_back() -> None:
    found = world()
    companion_plan(gpudirect, found, RELEASE, "hgx-h100", data(**BOTH))
    found.modules.clear()
    text = companion_plan(gpudirect, found, RELEASE, "hgx-h100", data(**BOTH))
    assert_plan(ROLE, "unloaded", without_noops(text))


def test_driver_that_waits_for_a_reboot() -> None:
    found = world()
    companion_plan(gpudirect, found, RELEASE, "hgx-h100", data(**BOTH), changes=WAITS)
    assert (found.daemons[UNIT].active, found.daemons[UNIT].file, found.modules) == ("inactive", "enabled", set())
