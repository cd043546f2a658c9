"""Checks of the role `fabric_manager`: the driver's version, the right order at boot, and none where none belongs."""

from __future__ import annotations

from typing import Any

import pytest

from gpufleet.health import Probe
from roles.fabric_manager.steps import COMPONENTS, MODULES, PROGRAM, SUBNET_MANAGER, UNIT, nvlink_modules
from tests.verify import companion_readings
from tests.verify.companion_readings import Companion, Declared, unit_probe, version_in

PROBE = {
    **companion_readings.PROBE,
    **unit_probe(UNIT),
    "program": f"{PROGRAM} --version 2>/dev/null; true",
    "modules at boot": f"grep -v '^#' /{MODULES} 2>/dev/null; true",
}
AFTER = ("nvidia-persistenced.service", "systemd-modules-load.service", "openibd.service")
BEFORE = ("nvidia-imex.service", "nvidia-dcgm.service", "kubelet.service", "slurmd.service")


@pytest.fixture
def found(probe: Probe, declared: Declared) -> Companion:
    """Read the host."""
    return Companion.read(probe, declared, "fabric_manager", *COMPONENTS)


def modules(found: Companion) -> list[str]:
    """Modules that NVLink5 needs on this host."""
    return nvlink_modules(found.chosen) if found.chosen and found.wanted else []


def test_stack_fits(found: Companion) -> None:
    said = found.says_what_does_not_fit()
    assert not said, f"fabric manager: expected a stack that fits, found {said}"


def test_packages_are_the_drivers_version(found: Companion) -> None:
    said = found.says_versions()
    assert not said, f"fabric manager: {said}"


def test_packages_are_held(found: Companion) -> None:
    said = found.says_holds()
    assert not said, f"fabric manager: {said}"


def test_daemon_is_of_the_loaded_module(found: Companion) -> None:
    version = version_in(found.probe["program"].text)
    if found.wanted:
        assert version == found.loaded, (
            f"{PROGRAM}: expected version {found.loaded or 'of a loaded module'} as the loaded module, which it would "
            f"refuse otherwise, found {version or 'none'}"
        )


def test_daemon_runs(found: Companion) -> None:
    said = found.says_unit(UNIT, "active and enabled") if found.wanted else ""
    assert not said, f"{UNIT}: {said}"


def test_order_at_boot(found: Companion) -> None:
    after: list[Any] = [*AFTER, *(f"modprobe@{module}.service" for module in modules(found))]
    said = found.says_order(UNIT, after, BEFORE, never=["multi-user.target"]) if found.wanted else ""
    assert not said, f"{UNIT}: {said}"


def test_nvlink_modules_are_loaded(found: Companion) -> None:
    said = found.says_modules(modules(found))
    assert not said, f"modules of NVLink5: {said}"


def test_nvlink_modules_are_loaded_at_boot(found: Companion) -> None:
    expected, lines = modules(found), found.probe["modules at boot"].lines
    assert found.chosen is None or lines == expected, f"/{MODULES}: expected {expected}, found {lines}"


def test_nothing_where_none_belongs(found: Companion) -> None:
    said = found.says_leftovers(UNIT, [SUBNET_MANAGER])
    assert not said, f"fabric manager: {said}"
