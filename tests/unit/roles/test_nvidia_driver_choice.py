"""Which driver a host gets, and which wishes are refused: tables of cases."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from gpufleet.facts.machine import HostMachine
from gpufleet.stack.machine import Hardware, System
from gpufleet.stack.matrix import load
from gpufleet.stack.resolution import Resolution
from gpufleet.stack.resolve import resolve
from gpufleet.stack.wish import Wish
from roles.nvidia_driver.choice import Choice, choose, refusals, runfile, unpinned, unsigned
from roles.nvidia_driver.options import NvidiaDriver

H100, L40S, V100, GH200, B200 = "2330", "26b9", "1db6", "2342", "2901"


def options(**given: Any) -> NvidiaDriver:
    return NvidiaDriver.model_validate(given)


def machine(gpus: list[str], system: System) -> HostMachine:
    return HostMachine(system, Hardware(gpus=tuple(gpus)))


def resolved(wanted: NvidiaDriver, gpus: list[str], system: System) -> Resolution:
    found = machine(gpus, system)
    return resolve(found.hardware, found.system, Wish.model_validate(wanted.wish()), load())


def chosen(wanted: NvidiaDriver, gpus: list[str], system: System) -> Choice:
    choice = choose(wanted, resolved(wanted, gpus, system), machine(gpus, system))
    assert choice is not None
    return choice


NOBLE, BOOKWORM = System("ubuntu", "24.04"), System("debian", "12")
CHOSEN = {
    "Hopper on 535": (BOOKWORM, {"version": "535.216.03"}, [H100] * 8, "535.216.03", "proprietary", "nvidia-current"),
    "Hopper, open wanted": (
        BOOKWORM,
        {"version": "535.216.03", "flavor": "open"},
        [H100],
        "535.216.03",
        "open",
        "nvidia-current-open",
    ),
    "full package version": (
        BOOKWORM,
        {"version": "535.216.03-2~bpo12+1"},
        [L40S],
        "535.216.03",
        "proprietary",
        "nvidia-current",
    ),
    "Hopper from NVIDIA": (
        NOBLE,
        {"version": "580.95.05", "source": "nvidia"},
        [H100],
        "580.95.05",
        "open",
        "nvidia",
    ),
    "Volta": (NOBLE, {"version": "580.95.05", "source": "nvidia"}, [V100], "580.95.05", "proprietary", "nvidia"),
}


@pytest.mark.parametrize(("system", "given", "gpus", "version", "flavor", "module"), CHOSEN.values(), ids=CHOSEN)
def test_driver_is_chosen(
    system: System, given: dict[str, Any], gpus: list[str], version: str, flavor: str, module: str
) -> None:
    wanted = chosen(options(**given), gpus, system).wanted
    assert (wanted.version, wanted.flavor, wanted.module) == (version, flavor, module)


def test_branch_is_its_newest_release() -> None:
    newest = load().newest_release(580)
    assert newest is not None
    assert chosen(options(version="580", source="nvidia"), [H100], NOBLE).version == newest.version


def test_package_version_is_kept_where_packages_have_one_source() -> None:
    jammy = {"version": "535.261.03-1", "flavor": "open"}
    assert {package.version for package in chosen(options(**jammy), [H100], BOOKWORM).driver.packages} == {
        "535.261.03",
        "",
    }


def test_module_options_of_the_inventory_win() -> None:
    wanted = options(version="580.95.05", source="nvidia", module_options={"NVreg_X": 1})
    found = machine([H100], NOBLE)
    resolution = Resolution(
        driver=resolved(wanted, [H100], NOBLE).driver, module_options={"NVreg_X": "0", "NVreg_Y": "2"}
    )
    choice = choose(wanted, resolution, found)
    assert choice is not None
    assert choice.wanted.options == {"NVreg_X": "1", "NVreg_Y": "2"}


def test_refusal_is_the_verdict_with_its_row() -> None:
    wanted = options(version="590.48.01", source="nvidia")
    [error] = refusals("gpu-07", wanted, resolved(wanted, [V100], NOBLE))
    [verdict] = resolved(wanted, [V100], NOBLE).errors
    assert str(error) == (
        f"gpu-07: {verdict.where}: expected {verdict.expected}, found {verdict.found}; "
        f"{verdict.cure} (row {verdict.row}; {verdict.source})"
    )


def test_refusal_without_a_version() -> None:
    [error] = refusals("gpu-07", options(), Resolution())
    assert str(error) == (
        "gpu-07: nvidia_driver.version: expected a version, found none; name one, such as 580 or 580.95.05"
    )


def test_runfile_is_refused_with_its_cure() -> None:
    assert runfile("gpu-07", []) is None
    assert str(runfile("gpu-07", ["/usr/bin/nvidia-uninstall", "/var/log/nvidia-installer.log"])) == (
        "gpu-07: NVIDIA's runfile installer: expected no driver that belongs to no package, found "
        "/usr/bin/nvidia-uninstall, /var/log/nvidia-installer.log; run `nvidia-uninstall --silent`, remove "
        "/var/log/nvidia-installer.log, then run again"
    )


SIGNED = {"secure_boot": {"mok_key": {"env": "KEY"}, "mok_certificate": {"env": "CERTIFICATE"}}}


@pytest.mark.parametrize(("state", "given"), [("disabled", {}), ("absent", {}), ("enabled", SIGNED)])
def test_modules_may_be_installed(state: str, given: dict[str, Any]) -> None:
    assert unsigned("gpu-07", state, options(version="580", **given), None) is None


def test_unsigned_modules_are_refused_with_three_ways_out() -> None:
    assert str(unsigned("gpu-07", "enabled", options(version="580"), None)) == (
        "gpu-07: Secure Boot: expected signed kernel modules, found modules that DKMS would build without a key that "
        "the firmware knows; enroll a machine owner key (`mokutil --import`) and name it in "
        "nvidia_driver.secure_boot, or install signed modules (nvidia_driver.modules: precompiled), or switch Secure "
        "Boot off in the firmware"
    )


def test_repository_without_a_fingerprint_is_refused() -> None:
    wanted = options(version="580.95.05", source="nvidia")
    assert unpinned("gpu-07", chosen(wanted, [H100], NOBLE)) is None
    assert str(unpinned("gpu-07", chosen(wanted, [H100], System("rocky", "10.0")))) == (
        "gpu-07: stack.repositories.cuda.key_fingerprint: expected the fingerprint of CDF6BA43.pub, forty "
        "hexadecimal digits, found none in the matrix; read the key's fingerprint where you trust it, and name it there"
    )


WRONG = {
    "wildcard": (
        {"version": "535.216.*"},
        "expected a branch or an exact version, found '535.216.*'; write it like 580 or 580.95.05",
    ),
    "no version": (
        {"persistence": False},
        "expected a version for a driver that shall be there, found none; add one",
    ),
    "option of two words": (
        {"version": "535.216.03", "module_options": {"NVreg_X": "1 2"}},
        "expected names and values without blanks, found 'NVreg_X': '1 2'; correct it",
    ),
    "runfile": (
        {"version": "580", "source": "runfile"},
        "expected packages, found runfile: its files belong to no package, so nothing pins or removes them; "
        "choose nvidia or distribution",
    ),
    "half a key": (
        {"version": "580", "secure_boot": {"mok_key": {"env": "KEY"}}},
        "expected mok_key and mok_certificate together, found mok_key alone; add the other",
    ),
    "key in two places": (
        {"version": "580", "secure_boot": {"mok_key": {"env": "KEY", "file": "key"}, "mok_certificate": {"env": "C"}}},
        "expected one of file, env and command, found file and env; name the place of the secret once",
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
    assert (options(state="absent").state, options(state="absent", version="580").wish()) == ("absent", {})
