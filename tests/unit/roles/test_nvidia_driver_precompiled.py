"""The role `nvidia_driver` with modules that were built once: which build it takes, and when it compiles after all."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from pyinfra.facts.files import Directory as FolderFact

from gpufleet.facts.kernel import RunningKernel
from gpufleet.facts.machine import HostMachine, Machine
from gpufleet.facts.nvidia import Driver, DriverState
from gpufleet.operations import precompiled
from gpufleet.options.mok import MachineOwnerKey
from gpufleet.precompiled.artifact import Artifact, checksum
from gpufleet.precompiled.repository import Directory
from gpufleet.stack.machine import Hardware, System
from gpufleet.stack.matrix import load
from gpufleet.stack.resolve import resolve
from gpufleet.stack.wish import Wish
from roles.nvidia_driver.choice import Choice, broken, choose, unsigned
from roles.nvidia_driver.deploy import nvidia_driver
from roles.nvidia_driver.options import NvidiaDriver, Precompiled, SecureBoot
from tests.support.driver_cells import world
from tests.support.driver_facts import plan_of
from tests.support.plans import assert_plan

KERNEL = "6.1.0-56-amd64"
MACHINE = HostMachine(System("debian", "12"), Hardware(gpus=("2330",), kernel=KERNEL))
FILE = f"gpufleet-nvidia-modules-{KERNEL}_580.105.08-20261123060000_amd64.deb"
WAYS_OUT = (
    "enroll a machine owner key (`mokutil --import`) and name it in nvidia_driver.secure_boot, or install signed "
    "modules (nvidia_driver.modules: precompiled), or switch Secure Boot off in the firmware"
)


def options(place: Path) -> NvidiaDriver:
    return NvidiaDriver.model_validate(
        {
            "version": "580.105.08",
            "source": "nvidia",
            "modules": "precompiled",
            "precompiled": {"repository": str(place)},
        }
    )


def chosen(place: Path) -> Choice:
    precompiled.lookup.cache_clear()
    wanted = options(place)
    wish = Wish.model_validate(dict(wanted.wish()))
    choice = choose(wanted, resolve(MACHINE.hardware, MACHINE.system, wish, load()), MACHINE)
    assert choice is not None
    return choice


def repository(place: Path, signer: str = "") -> Directory:
    package = place.parent / "package.deb"
    package.write_bytes(b"modules")
    artifact = Artifact(
        release="debian-12",
        arch="x86_64",
        kernel=KERNEL,
        driver="580.105.08",
        flavor="open",
        package=f"gpufleet-nvidia-modules-{KERNEL}",
        version="580.105.08-20261123060000",
        file=FILE,
        sha256=checksum(package),
        signer=signer,
        built_on="gpu-01",
        built_at="2026-11-23T06:00:00Z",
    )
    directory = Directory(place)
    directory.add(artifact, package, place.parent / "key")
    return directory


def test_build_takes_the_place_of_the_package_that_compiles(tmp_path: Path) -> None:
    directory = repository(tmp_path / "modules")
    choice = chosen(directory.root)
    assert choice.build is not None
    assert choice.build.public_key == directory.public_key()
    assert [(package.name, package.version, package.file) for package in choice.driver.packages] == [
        ("nvidia-driver-cuda", "580.105.08", ""),
        ("nvidia-persistenced", "580.105.08", ""),
        (f"gpufleet-nvidia-modules-{KERNEL}", "580.105.08-20261123060000", f"{precompiled.STAGED}/{FILE}"),
    ]
    assert {"nvidia-kernel-open-dkms", "gpufleet-nvidia-modules-*"} <= {*choice.driver.unwanted}


def test_without_a_build_the_host_compiles_and_says_which_is_missing(tmp_path: Path) -> None:
    choice = chosen(tmp_path / "modules")
    assert str(choice.missing_build) == "driver 580.105.08 (open) for kernel 6.1.0-56-amd64 on debian-12 x86_64"
    assert "nvidia-kernel-open-dkms" in choice.names
    assert "gpufleet-nvidia-modules-*" in choice.driver.unwanted


def test_broken_build_refuses_the_host(tmp_path: Path) -> None:
    directory = repository(tmp_path / "modules")
    package = directory.root / "debian-12/x86_64" / KERNEL / FILE
    wanted = checksum(package)
    package.write_bytes(b"other")
    assert str(broken("gpu-07", chosen(directory.root))) == (
        f"gpu-07: {package}: expected sha256 {wanted}, found {checksum(package)}; "
        "remove its manifest and run `gpufleet modules build` again"
    )


@pytest.mark.parametrize("signer", ["", "Another key"])
def test_secure_boot_refuses_a_build_without_the_key(tmp_path: Path, signer: str) -> None:
    place = repository(tmp_path / "modules", signer).root
    assert str(unsigned("gpu-07", "enabled", options(place), chosen(place))) == (
        "gpu-07: Secure Boot: expected signed kernel modules, found a build of the modules that nobody signed with the "
        f"key of nvidia_driver.secure_boot; {WAYS_OUT}"
    )


def test_secure_boot_takes_a_build_signed_with_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SecureBoot, "pair", lambda _: MachineOwnerKey(b"", b"", "Fleet key"))
    place = repository(tmp_path / "modules", "Fleet key").root
    assert unsigned("gpu-07", "enabled", options(place), chosen(place)) is None


def test_secure_boot_refuses_a_host_that_would_compile_after_all(tmp_path: Path) -> None:
    place = tmp_path / "modules"
    assert str(unsigned("gpu-07", "enabled", options(place), chosen(place))) == (
        "gpu-07: Secure Boot: expected signed kernel modules, found modules that DKMS would build without a key that "
        f"the firmware knows; {WAYS_OUT}"
    )


def test_plan_with_a_build(tmp_path: Path) -> None:
    precompiled.lookup.cache_clear()
    place = repository(tmp_path / "modules").root
    assert_plan("nvidia_driver", "precompiled", told(place, KERNEL))


def test_plan_without_a_build(tmp_path: Path) -> None:
    precompiled.lookup.cache_clear()
    assert_plan("nvidia_driver", "precompiled_missing", told(tmp_path / "modules", KERNEL))


def told(place: Path, kernel: str) -> str:
    """The plan of a fresh host, its keys and signatures left out: each run makes others."""
    host = world("debian-12", dkms_module="nvidia")
    given = {"nvidia_driver": options(place).model_dump(mode="json", exclude_defaults=True)}
    machine = HostMachine(MACHINE.system, replace(MACHINE.hardware, kernel=kernel))

    def driver(module: str) -> Driver:
        return Driver(host.loaded, "open" if host.loaded else "", host.on_disk, host.userspace, {})

    def folder(path: str) -> dict[str, Any] | None:
        return {"mode": 755, "user": "root", "group": "root"} if path.startswith("/etc/") and "." not in path else None

    changes = {Machine: machine, RunningKernel: kernel, DriverState: driver, FolderFact: folder}
    text = plan_of(nvidia_driver, host, "debian-12", given, changes)
    text = re.sub(r"ssh-ed25519 \S+", "ssh-ed25519 <key>", text)
    return re.sub(r"(?s)BEGIN SSH SIGNATURE-----.*?-----END", "BEGIN SSH SIGNATURE-----END", text)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"repository": "https://modules.fleet.internal"},
            "Value error, expected public_key beside a URL, found none; a website cannot vouch for itself",
        ),
        (
            {"public_key": "AAAA"},
            "Value error, expected a line such as `ssh-ed25519 AAAA...`, found another; take it from signing-key.pub",
        ),
    ],
)
def test_options_that_cannot_work(given: dict[str, str], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Precompiled.model_validate(given)
    assert [error["msg"] for error in caught.value.errors()] == [message]
