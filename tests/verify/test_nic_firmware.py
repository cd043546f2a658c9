"""Checks of the role `nic_firmware`: settings as declared, now and after the next boot, and firmware new enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from gpufleet.facts.adapter_firmware import AdapterFirmware
from gpufleet.health import Probe
from gpufleet.stack.adapter_settings import Adapter, Rule, differences, is_older, meant, minimum, unknown
from roles.nic_firmware.options import NicFirmware
from tests.verify.companion_readings import Declared

PROBE = {"adapters": AdapterFirmware().command()}
#: Some adapters take ten seconds for each of their two answers, and a host has up to ten.
PROBE_TIMEOUT = 240


@pytest.fixture
def rules(declared: Declared, data: Mapping[str, Any]) -> Sequence[Rule]:
    """What is declared for this host's adapters, if anything."""
    options: NicFirmware | None = declared(NicFirmware) if data.get(NicFirmware.key) is not None else None
    return options.rules if options else ()


@pytest.fixture
def adapters(probe: Probe, rules: Sequence[Rule]) -> list[Adapter]:
    """Adapters for which something is declared."""
    return meant(AdapterFirmware().process(probe["adapters"].lines), rules)


def test_every_adapter_answers(adapters: list[Adapter]) -> None:
    silent = {row.address: row.error for row in adapters if row.error}
    assert not silent, f"adapters: expected an answer of their firmware, found {silent}"


def test_every_setting_is_known(adapters: list[Adapter], rules: Sequence[Rule]) -> None:
    wrong = {row.address: unknown(row, rules) for row in adapters if not row.error and unknown(row, rules)}
    assert not wrong, f"firmware settings: expected every declared one in the firmware, found none of {wrong}"


def test_settings_are_written(adapters: list[Adapter], rules: Sequence[Rule]) -> None:
    found = {row.address: [str(each) for each in differences(row, rules) if not each.is_written] for row in adapters}
    wrong = {address: rows for address, rows in found.items() if rows}
    assert not wrong, f"firmware settings: expected those declared after the next boot, found {wrong}"


def test_settings_are_in_force(adapters: list[Adapter], rules: Sequence[Rule]) -> None:
    found = {row.address: [str(each) for each in differences(row, rules) if each.is_written] for row in adapters}
    wrong = {address: rows for address, rows in found.items() if rows}
    assert not wrong, f"firmware settings: expected those declared in force, found {wrong}; reboot, or cycle the power"


def test_firmware_is_new_enough(adapters: list[Adapter], rules: Sequence[Rule]) -> None:
    for row in adapters:
        oldest = minimum(row, rules)
        if oldest and not row.error:
            flashed = f" ({row.flashed} is in flash and waits for a reset)" if row.flashed else ""
            where = f"{row.address} ({row.psid})"
            assert not is_older(row.firmware, oldest), (
                f"{where}: expected firmware {oldest} or newer, found {row.firmware or 'none'}{flashed}"
            )
