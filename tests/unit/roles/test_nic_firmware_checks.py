"""Every check of the role nic_firmware, seen passing and failing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.check_runs import Answer, outcomes
from tests.verify import test_nic_firmware as module

KIND = {"psid": "MT_0000001244", "settings": {"ATS_ENABLED": True}, "minimum_firmware": "28.42.1000"}
DATA: dict[str, Any] = {"nic_firmware": {"adapters": [KIND]}}
HEAD = "Configurations:                              Default         Current         Next Boot"
WHERE = "0000:18:00.0 (MT_0000001244)"


def adapter(
    current: str = "True(1)", after: str = "True(1)", version: str = "28.42.1000", name: str = "ATS_ENABLED"
) -> list[str]:
    firmware = [f"FW Version:            {version}", "PSID:                  MT_0000001244", "== firmware 0"]
    row = f"*        {name}                         False(0)        {current}         {after}"
    return ["== adapter 0000:18:00.0 0x1021", *firmware, HEAD, row, "== settings 0"]


@pytest.mark.parametrize("data", [{}, DATA])
def test_as_declared(data: dict[str, Any]) -> None:
    assert outcomes(module, {"adapters": adapter()}, data, Answer()) == {}


def test_undeclared_adapters_are_nobodys_business() -> None:
    mute = ["== adapter 0000:18:00.0 0x1021", "Segmentation fault", "== firmware 139", "== settings 139"]
    assert outcomes(module, {"adapters": mute}, {}, Answer()) == {}


@pytest.mark.parametrize(
    ("answer", "failing"),
    [
        (
            ["== adapter 0000:18:00.0 0x1021", "Segmentation fault", "== firmware 139", "== settings 139"],
            {
                "every_adapter_answers": "adapters: expected an answer of their firmware, "
                "found {'0000:18:00.0': 'firmware: Segmentation fault (exit status 139)'}"
            },
        ),
        (
            adapter(name="NUM_OF_VFS"),
            {
                "every_setting_is_known": "firmware settings: expected every declared one in the firmware, "
                "found none of {'0000:18:00.0': ['ATS_ENABLED']}"
            },
        ),
        (
            adapter("False(0)", "False(0)"),
            {
                "settings_are_written": "firmware settings: expected those declared after the next boot, "
                "found {'0000:18:00.0': ['ATS_ENABLED declared 1, now False(0), after a boot False(0)']}"
            },
        ),
        (
            adapter("False(0)", "True(1)"),
            {
                "settings_are_in_force": "firmware settings: expected those declared in force, "
                "found {'0000:18:00.0': ['ATS_ENABLED declared 1, now False(0), after a boot True(1)']}; "
                "reboot, or cycle the power"
            },
        ),
        (
            adapter(version="28.41.9999"),
            {"firmware_is_new_enough": f"{WHERE}: expected firmware 28.42.1000 or newer, found 28.41.9999"},
        ),
        (
            adapter(version="28.43.1014\nFW Version(Running):   28.36.1010"),
            {
                "firmware_is_new_enough": f"{WHERE}: expected firmware 28.42.1000 or newer, found 28.36.1010 "
                "(28.43.1014 is in flash and waits for a reset)"
            },
        ),
    ],
    ids=["mute", "unknown setting", "not written", "not in force", "old firmware", "flashed"],
)
def test_deviations(answer: list[str], failing: dict[str, str]) -> None:
    assert outcomes(module, {"adapters": answer}, DATA, Answer()) == failing


def test_every_check_was_seen_failing() -> None:
    marks = test_deviations.pytestmark  # type: ignore[attr-defined]  # pytest put it there
    failing = {name for _, messages in marks[0].args[1] for name in messages}
    assert failing == {name.removeprefix("test_") for name in vars(module) if name.startswith("test_")}
