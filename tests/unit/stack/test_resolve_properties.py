"""Whatever is wished for, on whatever machine: one consistent set, or a refusal that names what forbids it."""

from __future__ import annotations

import datetime
from collections import Counter
from fnmatch import fnmatchcase

from hypothesis import event, given, settings
from hypothesis import strategies as st

from gpufleet.stack.check import check
from gpufleet.stack.machine import Hardware, System
from gpufleet.stack.resolution import Component, Resolution
from gpufleet.stack.resolve import resolve
from gpufleet.stack.rules import RULES
from gpufleet.stack.wish import Wish
from tests.unit.stack.wishes import HARDWARE, MATRIX, SOUND, SUPPORTED, SYSTEM, USUAL, WISH

ROWS: dict[str, str] = {row.row: row.source for row in MATRIX.rows} | {rule.row: rule.source for rule in RULES}
#: Components whose version is the driver's to the last digit.
BOUND: tuple[Component, ...] = ("fabric_manager", "nscq", "nvsdm", "imex")
#: Which components each unit belongs to.
UNITS: dict[str, Component] = {
    "nvidia-persistenced.service": "persistenced",
    "nvidia-fabricmanager.service": "fabric_manager",
    "nvidia-imex.service": "imex",
    "nvidia-dcgm.service": "dcgm",
    "containerd.service": "containerd",
    "kubelet.service": "kubernetes",
}


@settings(max_examples=300)
@given(HARDWARE, SYSTEM, st.one_of(WISH, SOUND))
def test_every_wish_is_granted_as_one_set_or_refused_by_a_row(hardware: Hardware, system: System, wish: Wish) -> None:
    _is_granted_or_refused(hardware, system, wish)


@settings(max_examples=300)
@given(USUAL, SUPPORTED, SOUND)
def test_usual_wishes_on_usual_machines(hardware: Hardware, system: System, wish: Wish) -> None:
    _is_granted_or_refused(hardware, system, wish)


def _is_granted_or_refused(hardware: Hardware, system: System, wish: Wish) -> None:
    resolution = resolve(hardware, system, wish, MATRIX)
    assert resolution == resolve(hardware, system, wish, MATRIX)
    for verdict in resolution.verdicts:
        assert ROWS[verdict.row] == verdict.source
        assert all((verdict.where, verdict.expected, verdict.found, verdict.cure))
    if resolution.errors:
        event("refused")
        assert resolution == Resolution(verdicts=resolution.verdicts)
    else:
        event("granted")
        _is_consistent(resolution, hardware, wish)


@settings(max_examples=200)
@given(HARDWARE, SYSTEM, st.one_of(WISH, SOUND), st.dates(), st.booleans())
def test_a_check_says_all_that_a_resolution_says(
    hardware: Hardware, system: System, wish: Wish, today: datetime.date, strict: bool
) -> None:
    verdicts = check(hardware, system, wish, MATRIX, today, strict)
    assert set(resolve(hardware, system, wish, MATRIX).verdicts) <= set(verdicts)
    assert [verdict.level for verdict in verdicts] == sorted(
        (verdict.level for verdict in verdicts), key=["error", "warning", "note"].index
    )
    assert all(ROWS[verdict.row] == verdict.source for verdict in verdicts)


def _is_consistent(resolution: Resolution, hardware: Hardware, wish: Wish) -> None:
    packages = (*(resolution.driver.packages if resolution.driver else ()), *resolution.packages)
    names = [package.name for package in packages]
    assert not [name for name, count in Counter(names).items() if count > 1]
    assert all(package.reason for package in packages)
    unwanted = (*(resolution.driver.unwanted if resolution.driver else ()), *resolution.unwanted)
    assert not [name for name in names if any(fnmatchcase(name, pattern) for pattern in unwanted)]
    _has_one_driver(resolution, hardware, wish)
    _runs_only_what_is_installed(resolution)


def _has_one_driver(resolution: Resolution, hardware: Hardware, wish: Wish) -> None:
    driver = resolution.driver
    assert (driver is not None) == bool(wish.driver is not None and hardware.gpus)
    bound = resolution.of(*BOUND)
    if driver is None:
        assert not bound
        return
    assert driver.branch == int(driver.version.split(".")[0])
    assert {package.version for package in bound} <= {driver.version}
    assert any(package.version.startswith(driver.version) for package in driver.packages)
    assert "{" not in repr((driver, resolution.packages))
    assert all((driver.module, driver.reason))


def _runs_only_what_is_installed(resolution: Resolution) -> None:
    for service in resolution.services:
        assert resolution.of(UNITS[service.unit])
        assert service.reason
        assert not (service.enabled and service.masked)
    for module in resolution.kernel_modules:
        assert resolution.reasons[f"module {module}"]
    for option in resolution.module_options:
        assert resolution.reasons[f"option {option}"]
    assert {item.name for item in resolution.unpacked} <= {package.name for package in resolution.of("nccl")}
