"""Answers of mstflint and mstconfig as people published them, each with its source, and what is read of them."""

from __future__ import annotations

import pytest

from gpufleet.facts.adapter_firmware import AdapterFirmware, firmware_of, settings_of
from gpufleet.stack.adapter_settings import Adapter, Setting

#: `flint -d /dev/mst/mt4129_pciconf0 query` on a ConnectX-7, from Red Hat's notes on containers with NVIDIA's tools.
CONNECTX_7 = """\
Image type:            FS4
FW Version:            28.42.1000
FW Release Date:       8.8.2024
Product Version:       28.42.1000
Rom Info:              type=UEFI version=14.35.15 cpu=AMD64,AARCH64
                       type=PXE version=3.7.500 cpu=AMD64
Description:           UID                GuidsNumber
Base GUID:             e09d730300126474        16
Base MAC:              e09d73126474            16
Image VSD:             N/A
Device VSD:            N/A
PSID:                  MT_0000001244
Security Attributes:   secure-fw"""

#: `mlxconfig -d /dev/mst/mt4129_pciconf0 query` from the same notes, which left lines out themselves.
CONNECTX_7_SETTINGS = """\

Device #1:
----------

Device type:        ConnectX7           
Name:               MCX715105AS-WEAT_Ax 
Description:        NVIDIA ConnectX-7 HHHL Adapter Card; 400GbE (default mode) / NDR IB; Single-port QSFP112
Device:             /dev/mst/mt4129_pciconf0

Configurations:                                          Next Boot
        MODULE_SPLIT_M0                             Array[0..15]        
        MEMIC_BAR_SIZE                              0                   
        MEMIC_SIZE_LIMIT                            _256KB(1)           
       (...)
        ADVANCED_PCI_SETTINGS                       False(0)            
        SAFE_MODE_THRESHOLD                         10                  
        SAFE_MODE_ENABLE                            True(1)"""  # noqa: W291  # as it was printed

#: Mellanox/nic-configuration-operator's test of `mlxconfig -e query`; stars as HPE's Slingshot guide prints them.
STARS = """\
Device type:    ConnectX4
Configurations:                              Default         Current         Next Boot
*        KEEP_IB_LINK_UP_P2                  False(0)        True(1)         True(1)
         KEEP_LINK_UP_ON_BOOT_P2             False(0)        False(0)        False(0)
         ESWITCH_HAIRPIN_DESCRIPTORS         Array[0..7]     Array[0..7]     Array[0..7]
*        MEMIC_SIZE_LIMIT                    _256KB(1)       _256KB(1)       DISABLED(0)
The '*' shows parameters with next value different from default/current value."""

#: `mstconfig -d 09:00.0 q` on a ConnectX-3, xtremeownage.com, 2023-01-23: no name, no current values.
CONNECTX_3 = """\
Device type:    ConnectX3
Device:         09:00.0

Configurations:                              Next Boot
         SRIOV_EN                            True(1)
         NUM_OF_VFS                          8
         LINK_TYPE_P1                        IB(1)
         LINK_TYPE_P2                        ETH(2)
         IP_VER_P1                           IPv4(0)"""

#: Value that fills its column, k8snetworkplumbingwg/sriov-network-device-plugin#601, set beside itself as `-e` does.
FULL = """\
Configurations:                                          Default             Current             Next Boot
        MEMIC_ATOMIC                                MEMIC_ATOMIC_ENABLE(2)MEMIC_ATOMIC_ENABLE(2)DEVICE_DEFAULT(0)   
RO      HOST_CHAINING_MODE                          DISABLED(0)         DISABLED(0)         DISABLED(0)"""  # noqa: W291  # as it was printed

#: Firmware that was flashed and has yet to be loaded: the line that flint then adds (Mellanox/mstflint).
FLASHED = "FW Version:            28.43.1014\nFW Version(Running):   28.42.1000\nPSID:                  MT_0000001244"


def answer(firmware: str, settings: str, flint: int = 0, config: int = 0) -> list[str]:
    parts = [firmware, f"== firmware {flint}", settings, f"== settings {config}"]
    return ["== adapter 0000:18:00.0 0x1021", *"\n".join(parts).split("\n")]


def test_firmware() -> None:
    found = firmware_of(CONNECTX_7.split("\n"))
    assert (found["FW Version"], found["PSID"]) == ("28.42.1000", "MT_0000001244")


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        (
            CONNECTX_7_SETTINGS,
            {
                "MODULE_SPLIT_M0": Setting(next="Array[0..15]"),
                "MEMIC_BAR_SIZE": Setting(next="0"),
                "MEMIC_SIZE_LIMIT": Setting(next="_256KB(1)"),
                "ADVANCED_PCI_SETTINGS": Setting(next="False(0)"),
                "SAFE_MODE_THRESHOLD": Setting(next="10"),
                "SAFE_MODE_ENABLE": Setting(next="True(1)"),
            },
        ),
        (
            STARS,
            {
                "KEEP_IB_LINK_UP_P2": Setting("False(0)", "True(1)", "True(1)"),
                "KEEP_LINK_UP_ON_BOOT_P2": Setting("False(0)", "False(0)", "False(0)"),
                "ESWITCH_HAIRPIN_DESCRIPTORS": Setting("Array[0..7]", "Array[0..7]", "Array[0..7]"),
                "MEMIC_SIZE_LIMIT": Setting("_256KB(1)", "_256KB(1)", "DISABLED(0)"),
            },
        ),
        (
            CONNECTX_3,
            {
                "SRIOV_EN": Setting(next="True(1)"),
                "NUM_OF_VFS": Setting(next="8"),
                "LINK_TYPE_P1": Setting(next="IB(1)"),
                "LINK_TYPE_P2": Setting(next="ETH(2)"),
                "IP_VER_P1": Setting(next="IPv4(0)"),
            },
        ),
        (
            FULL,
            {
                "MEMIC_ATOMIC": Setting("MEMIC_ATOMIC_ENABLE(2)", "MEMIC_ATOMIC_ENABLE(2)", "DEVICE_DEFAULT(0)"),
                "HOST_CHAINING_MODE": Setting("DISABLED(0)", "DISABLED(0)", "DISABLED(0)"),
            },
        ),
        ("Error: Unsupported device", {}),
    ],
    ids=["connectx-7", "stars", "connectx-3", "full columns", "no table"],
)
def test_settings(text: str, settings: dict[str, Setting]) -> None:
    assert settings_of(text.split("\n")) == settings


@pytest.mark.parametrize(
    ("lines", "adapter"),
    [
        (
            answer(FLASHED, CONNECTX_3),
            {"psid": "MT_0000001244", "firmware": "28.42.1000", "flashed": "28.43.1014"},
        ),
        (
            # mstflint 4.21 of Debian 12, on an address where it may not look.
            answer("-E- Cannot open Device: 0000:00:00.0. Operation not supported. MFE_CR_ERROR", "", flint=1),
            {
                "error": "firmware: -E- Cannot open Device: 0000:00:00.0. Operation not supported. MFE_CR_ERROR "
                "(exit status 1)"
            },
        ),
        (answer("Segmentation fault", "", flint=139), {"error": "firmware: Segmentation fault (exit status 139)"}),
        (answer(CONNECTX_7, "", config=124), {"error": "settings: no answer (exit status 124)"}),
        (
            answer(CONNECTX_7, "Error: Unsupported device"),
            {
                "psid": "MT_0000001244",
                "firmware": "28.42.1000",
                "error": "settings: no table of settings in the answer",
            },
        ),
        (["== adapter 0000:18:00.0 0x1021"], {"error": "neither mstconfig nor mlxconfig is installed"}),
    ],
    ids=["flashed", "not to be opened", "crash", "too slow", "no table", "no tool"],
)
def test_adapter(lines: list[str], adapter: dict[str, str]) -> None:
    (found,) = AdapterFirmware().process(lines)
    expected = Adapter("0000:18:00.0", "1021", **adapter)  # type: ignore[arg-type]  # fields of text alone
    assert found == Adapter(**{**expected.__dict__, "settings": found.settings})


def test_several_adapters() -> None:
    first, second = answer(CONNECTX_7, STARS), [*answer(FLASHED, STARS)[1:]]
    found = AdapterFirmware().process([*first, "== adapter 0000:2a:00.0 0x101b", *second])
    assert [(row.address, row.device, row.firmware, row.flashed) for row in found] == [
        ("0000:18:00.0", "1021", "28.42.1000", ""),
        ("0000:2a:00.0", "101b", "28.42.1000", "28.43.1014"),
    ]
