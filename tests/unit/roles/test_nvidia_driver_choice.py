"""Which driver a host gets, and which wishes are refused: tables of cases."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from roles.nvidia_driver.choice import choose
from roles.nvidia_driver.options import NvidiaDriver

H100, L40S, V100, GH200, B200 = "2330", "26b9", "1db6", "2342", "2901"


def options(**given: Any) -> NvidiaDriver:
    return NvidiaDriver.model_validate(given)


CHOSEN = {
    "Hopper on 535": ("535.216.03", [H100] * 8, "auto", "proprietary", "is NVIDIA's default below branch 560"),
    "Hopper on 570": ("570.86.15", [H100] * 8, "auto", "open", "is NVIDIA's default from branch 560"),
    "Hopper, open wanted": ("535.216.03", [H100], "open", "open", "set by nvidia_driver.flavor"),
    "Volta": ("580.65.06", [V100], "auto", "proprietary", "Volta can run the proprietary modules only"),
    "Grace Hopper": ("550.163.01", [GH200], "auto", "open", "Grace Hopper can run the open modules only"),
    "full package version": ("535.216.03-2~bpo12+1", [L40S], "auto", "proprietary", "default below branch 560"),
}


@pytest.mark.parametrize(("version", "gpus", "flavor", "build", "reason"), CHOSEN.values(), ids=CHOSEN)
def test_build_is_chosen(version: str, gpus: list[str], flavor: str, build: str, reason: str) -> None:
    choice = choose("gpu-07", options(version=version, flavor=flavor), gpus)
    assert choice.refusal is None
    assert (choice.build.flavor, choice.wanted.flavor, choice.version) == (build, build, version)
    assert choice.reason.endswith(reason)


REFUSED = {
    "no version": (
        {},
        [H100],
        "gpu-07: nvidia_driver.version: expected a version, found none; name one, such as 535.261.03",
    ),
    "open on Volta": (
        {"version": "535.216.03", "flavor": "open"},
        [V100],
        "gpu-07: nvidia_driver.flavor: expected proprietary for GPU 10de:1db6 (volta), found open; "
        "set nvidia_driver.flavor to suit it",
    ),
    "proprietary on Blackwell": (
        {"version": "570.86.15", "flavor": "proprietary"},
        [H100, B200],
        "gpu-07: nvidia_driver.flavor: expected open for GPU 10de:2901 (blackwell), found proprietary; "
        "set nvidia_driver.flavor to suit it",
    ),
    "Volta on 590": (
        {"version": "590.44.01"},
        [V100],
        "gpu-07: nvidia_driver.version: expected branch 580 or older for GPU 10de:1db6 (volta), found 590.44.01; "
        "set nvidia_driver.version to suit it",
    ),
    "Blackwell beside Volta": (
        {"version": "570.86.15"},
        [B200, V100],
        "gpu-07: nvidia_driver: expected GPUs that one driver can run, found Blackwell (open modules only) beside "
        "Volta (proprietary modules only); take one of them out of the host",
    ),
    "Blackwell before open modules": (
        {"version": "470.256.02"},
        [B200],
        "gpu-07: nvidia_driver.version: expected a branch with open kernel modules, found 470.256.02; "
        "choose another version or set nvidia_driver.flavor",
    ),
}


@pytest.mark.parametrize(("given", "gpus", "text"), REFUSED.values(), ids=REFUSED)
def test_refusal(given: dict[str, Any], gpus: list[str], text: str) -> None:
    assert str(choose("gpu-07", options(**given), gpus).refusal) == text


WRONG = {
    "branch only": ({"version": "535"}, "expected an exact version, found '535'; write it like 535.261.03"),
    "wildcard": ({"version": "535.216.*"}, "expected an exact version, found '535.216.*'; write it like 535.261.03"),
    "no version": (
        {"persistence": False},
        "expected a version for a driver that shall be there, found none; add one",
    ),
    "option of two words": (
        {"version": "535.216.03", "module_options": {"NVreg_X": "1 2"}},
        "expected names and values without blanks, found 'NVreg_X': '1 2'; correct it",
    ),
    "proprietary after its end": (
        {"version": "615.12.01", "flavor": "proprietary"},
        "expected a branch with proprietary kernel modules, found version 615.12.01; choose another version or flavor",
    ),
}


@pytest.mark.parametrize(("given", "text"), WRONG.values(), ids=WRONG)
def test_wrong_options(given: dict[str, Any], text: str) -> None:
    with pytest.raises(ValidationError) as caught:
        options(**given)
    assert [error["msg"] for error in caught.value.errors()] == [f"Value error, {text}"]


def test_hosts_without_data_are_valid() -> None:
    assert options().version is None


def test_removal_needs_no_version() -> None:
    assert options(state="absent").state == "absent"
