"""Comparisons of the driver a host has with the one it should have."""

from __future__ import annotations

import pytest

from gpufleet.facts.nvidia import Driver
from gpufleet.stack.driver import WantedDriver, disagreements, same_value, swap_reasons

OLD, NEW = "535.216.03", "535.261.03"
WANTED = WantedDriver(NEW, "proprietary", "nvidia-current", {"NVreg_EnableMSI": "0"})
GOOD = Driver(NEW, "proprietary", NEW, NEW, {"EnableMSI": "0"})

REASONS = {
    "as wanted": (GOOD, []),
    "nothing loaded": (Driver(on_disk=NEW), ["no module nvidia is loaded"]),
    "older": (Driver(OLD, "proprietary", NEW, NEW), [f"module nvidia {OLD} is loaded, {NEW} is wanted"]),
    "other flavor": (Driver(NEW, "open", NEW, NEW), ["the open module is loaded, the proprietary one is wanted"]),
    "other option": (
        Driver(NEW, "proprietary", NEW, NEW, {"EnableMSI": "1"}),
        ["module option NVreg_EnableMSI is 1, 0 is wanted"],
    ),
    "option that the module has not": (Driver(NEW, "proprietary", NEW, NEW, {"Other": "1"}), []),
}


@pytest.mark.parametrize(("driver", "reasons"), REASONS.values(), ids=REASONS)
def test_swap_reasons(driver: Driver, reasons: list[str]) -> None:
    assert swap_reasons(driver, WANTED) == reasons


DISAGREEMENTS = {
    "all one": (GOOD, {"nvidia-smi": f"{NEW}-1"}, []),
    "old module": (Driver(OLD, "", NEW, NEW), {}, [f"loaded module {OLD}"]),
    "no build": (Driver(NEW, "", "", NEW), {}, ["module on disk none"]),
    "old library": (Driver(NEW, "", NEW, OLD), {}, [f"userspace (libnvidia-ml) {OLD}"]),
    "old package": (GOOD, {"libcuda1": "535.216.03-2~bpo12+1"}, [f"package libcuda1 {OLD}"]),
    "no package": (GOOD, {"libcuda1": ""}, ["package libcuda1 none"]),
    "no such option": (Driver(NEW, "", NEW, NEW, {"Other": "1"}), {}, ["no module option NVreg_EnableMSI"]),
}


@pytest.mark.parametrize(("driver", "packages", "wrong"), DISAGREEMENTS.values(), ids=DISAGREEMENTS)
def test_disagreements(driver: Driver, packages: dict[str, str], wrong: list[str]) -> None:
    assert disagreements(driver, WANTED, packages) == wrong


@pytest.mark.parametrize(
    ("live", "wanted", "same"),
    [("1", "0x1", True), ("4294967295", "-1", True), ("0", "1", False), ("a=1;b=2", "a=1;b=2", True), ("", "0", False)],
)
def test_same_value(live: str, wanted: str, same: bool) -> None:
    assert same_value(live, wanted) is same
