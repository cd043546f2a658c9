"""Options and plans of the role nic_firmware: refused, compared, written, waiting for a boot, in force."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from gpufleet.facts.adapter_firmware import AdapterFirmware, Configurator
from gpufleet.facts.apt import InstalledVersions
from gpufleet.facts.boot import RebootRequired
from gpufleet.facts.family import OsFamily
from gpufleet.facts.hardware import PciDevice, PciDevices
from gpufleet.stack.adapter_settings import Adapter, Setting
from roles.nic_firmware.deploy import nic_firmware
from roles.nic_firmware.options import NicFirmware
from tests.support.driver_facts import without_noops
from tests.support.plans import assert_plan, plan

ROLE = "nic_firmware"
PCI = [PciDevice("0000:18:00.0", "15b3", "1021", "020700"), PciDevice("0000:17:00.0", "10de", "2330", "030200")]
BEFORE = {
    "ADVANCED_PCI_SETTINGS": Setting("False(0)", "False(0)", "False(0)"),
    "NUM_OF_VFS": Setting("0", "8", "8"),
}
ADAPTER = Adapter("0000:18:00.0", "1021", "MT_0000001244", "28.42.1000", settings=BEFORE)
WRITTEN = replace(ADAPTER, settings={**BEFORE, "ADVANCED_PCI_SETTINGS": Setting("False(0)", "False(0)", "True(1)")})
DONE = replace(ADAPTER, settings={**BEFORE, "ADVANCED_PCI_SETTINGS": Setting("False(0)", "True(1)", "True(1)")})
REASON = "firmware settings of adapters wait for a boot, some for a power cycle: 0000:18:00.0 ADVANCED_PCI_SETTINGS"
WISH = {"ADVANCED_PCI_SETTINGS": True, "NUM_OF_VFS": 8}
KIND = {"device": "1021", "settings": WISH, "minimum_firmware": "28.43.1014"}
INSTALLED = {InstalledVersions: {"mstflint": "4.21.0+1-1"}}


def planned(*adapters: Adapter, facts: dict[Any, Any] | None = None, **options: Any) -> str:
    base: dict[Any, Any] = {OsFamily: "debian", PciDevices: PCI, AdapterFirmware: list(adapters), **INSTALLED}
    return plan(nic_firmware, {**base, **(facts or {})}, {ROLE: {"adapters": [KIND], **options}})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"adapters": [{}]}, "expected one of address, psid and device, found none; name the adapters once"),
        (
            {"adapters": [{"psid": "MT_0000001244", "device": "1021"}]},
            "expected one of address, psid and device, found psid and device; name the adapters once",
        ),
        (
            {"adapters": [{"address": "18:00.1"}]},
            "expected an address such as 0000:18:00.0, found '18:00.1'; settings belong to the first function; "
            "`lspci -D -d 15b3:` lists them",
        ),
        ({"adapters": [KIND, KIND]}, "expected every kind once, found 1021 again; put their settings together"),
        ({"adapters": [{"device": "ConnectX-7"}]}, "String should match pattern '^[0-9a-f]{4}$'"),
        ({"adapters": [{**KIND, "minimum_firmware": "28.43"}]}, r"String should match pattern '^\d+\.\d+\.\d+$'"),
        ({"apply": "perhaps"}, "Input should be a valid boolean, unable to interpret input"),
    ],
)
def test_refused(data: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        NicFirmware.model_validate(data)
    assert [error["msg"].removeprefix("Value error, ") for error in refused.value.errors()] == [message]


def test_first_run_compares() -> None:
    assert_plan(ROLE, "compared", planned(ADAPTER, facts={InstalledVersions: {}}))


def test_written_on_request() -> None:
    assert_plan(ROLE, "written", planned(ADAPTER, apply=True))


def test_second_run_before_the_boot_changes_nothing() -> None:
    facts = {RebootRequired: {"nic-firmware": REASON}}
    assert without_noops(planned(WRITTEN, facts=facts, apply=True)) == ""


def test_after_a_boot_that_did_not_load_them() -> None:
    assert_plan(ROLE, "not_loaded", planned(WRITTEN, apply=True))


def test_in_force() -> None:
    assert without_noops(planned(DONE, apply=True)) == ""
    assert_plan(ROLE, "in_force", planned(DONE, facts={RebootRequired: {"nic-firmware": REASON}}, apply=True))


def test_firmware_that_cannot_tell_keeps_the_reason() -> None:
    blind = replace(ADAPTER, settings={name: Setting(next="True(1)") for name in BEFORE})
    options = {"adapters": [{"device": "1021", "settings": {"ADVANCED_PCI_SETTINGS": True}}], "apply": True}
    facts = {RebootRequired: {"nic-firmware": REASON}}
    assert without_noops(planned(blind, facts=facts, **options)) == ""


def test_dpu_tools() -> None:
    assert_plan(
        ROLE, "mlxconfig", planned(ADAPTER, facts={Configurator: "mlxconfig", InstalledVersions: {}}, apply=True)
    )


def test_refused_by_the_host() -> None:
    mute = Adapter("0000:2a:00.0", "1021", error="firmware: Segmentation fault (exit status 139)")
    lacking = replace(ADAPTER, settings={"NUM_OF_VFS": BEFORE["NUM_OF_VFS"]})
    assert_plan(ROLE, "refused", planned(lacking, mute, apply=True))


@pytest.mark.parametrize(
    ("case", "pci", "data"), [("no_key", PCI, {}), ("no_adapter", PCI[1:], {ROLE: {"adapters": [KIND]}})]
)
def test_left_alone(case: str, pci: list[PciDevice], data: dict[str, Any]) -> None:
    assert_plan(ROLE, case, plan(nic_firmware, {OsFamily: "debian", PciDevices: pci}, data))
