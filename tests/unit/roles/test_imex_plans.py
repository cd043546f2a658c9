"""Plans of the role imex: run, left to the DRA driver, removed, and every way between these."""

from __future__ import annotations

from typing import Any

import pytest

from gpufleet.facts.boot import RebootRequired
from roles.imex.deploy import imex
from tests.support.companion_world import CompanionWorld, companion_plan, versions_plan
from tests.support.driver_facts import without_noops
from tests.support.plans import assert_plan

ROLE, UNIT, RELEASE, TRAY = "imex", "nvidia-imex.service", "ubuntu-24.04", "gb200-tray"
NODES: dict[str, Any] = {"nodes": ["10.0.0.1", "10.0.0.2"]}
WAITS = {RebootRequired: {"nvidia-driver": "module nvidia 570.195.03 is loaded, 580.105.08 is wanted"}}
MODES: dict[str, dict[str, Any]] = {"on": {"run": "on", **NODES}, "dra": {"run": "dra"}, "off": {"run": "off"}}
STATES = {"on": ("loaded", "active", "enabled"), "dra": ("masked", "inactive", "masked")}


def data(version: str = "580.105.08", **options: Any) -> dict[str, Any]:
    return {"nvidia_driver": {"version": version, "source": "nvidia"}, ROLE: options}


def world(release: str = RELEASE) -> CompanionWorld:
    return CompanionWorld(mark="@-1" if release == "el-9" else "-1", is_el=release == "el-9")


@pytest.mark.parametrize("release", ["ubuntu-24.04", "debian-12", "el-9"])
def test_installed(release: str) -> None:
    plans: dict[str, str] = {}
    for version in ("570.195.03", "580.105.08", "590.48.01"):
        found = world(release)
        plans[version] = without_noops(companion_plan(imex, found, release, TRAY, data(version, **NODES)))
        assert without_noops(companion_plan(imex, found, release, TRAY, data(version, **NODES))) == ""
    assert_plan(ROLE, f"auto_{release}", versions_plan(plans))


@pytest.mark.parametrize("after", MODES)
@pytest.mark.parametrize("before", MODES)
def test_from_mode_to_mode(before: str, after: str) -> None:
    """Between any two, and then nothing more to do."""
    found = world()
    companion_plan(imex, found, RELEASE, TRAY, data(**MODES[before]))
    text = without_noops(companion_plan(imex, found, RELEASE, TRAY, data(**MODES[after])))
    if before == after:
        assert text == ""
    elif "off" not in (before, after):
        assert_plan(ROLE, f"{before}_to_{after}", text)
    assert without_noops(companion_plan(imex, found, RELEASE, TRAY, data(**MODES[after]))) == ""
    state = found.daemons.get(UNIT)
    if after == "off":
        assert (found.installed, [path for path in found.files if "imex" in path]) == ({}, [])
        assert state is None or (state.load, state.active, state.file) == ("loaded", "inactive", "disabled")
    else:
        assert state is not None
        assert (state.load, state.active, state.file) == STATES[after]


def test_left_to_dra_at_once() -> None:
    """The package brings a list of nodes, which must not wait for a second run to go."""
    found = world()
    assert_plan(ROLE, "dra", without_noops(companion_plan(imex, found, RELEASE, TRAY, data(run="dra"))))
    assert without_noops(companion_plan(imex, found, RELEASE, TRAY, data(run="dra"))) == ""


def test_off_leaves_nothing() -> None:
    found = world()
    companion_plan(imex, found, RELEASE, TRAY, data(**MODES["on"]))
    text = companion_plan(imex, found, RELEASE, TRAY, data(run="off"))
    assert_plan(ROLE, "off", without_noops(text))


@pytest.mark.parametrize(
    ("case", "machine", "given"),
    [
        ("no_key", TRAY, {"nvidia_driver": {"version": "580.105.08", "source": "nvidia"}}),
        ("no_nodes", TRAY, data()),
        ("not_on_hgx_h100", "hgx-h100", data(**NODES)),
        ("branch_without_imex", TRAY, data("535.261.03", **NODES)),
    ],
)
def test_otherwise(case: str, machine: str, given: dict[str, Any]) -> None:
    assert_plan(ROLE, case, companion_plan(imex, world(), RELEASE, machine, given))


def test_driver_that_waits_for_a_reboot() -> None:
    found = world()
    companion_plan(imex, found, RELEASE, TRAY, data(**NODES), changes=WAITS)
    assert (found.daemons[UNIT].active, found.daemons[UNIT].file) == ("inactive", "enabled")


def test_changed_nodes_restart_it() -> None:
    found = world()
    companion_plan(imex, found, RELEASE, TRAY, data(**NODES))
    found.stale.add(UNIT)
    text = companion_plan(imex, found, RELEASE, TRAY, data(nodes=["10.0.0.1"]))
    assert_plan(ROLE, "other_nodes", without_noops(text))
