"""NVIDIA's container toolkit: which release, all of its packages, from where, and what cannot be had."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from gpufleet.stack.check import check
from gpufleet.stack.container_toolkit_choice import PACKAGES, refreshes
from gpufleet.stack.evidence import Evidence
from gpufleet.stack.machine import Hardware, System
from gpufleet.stack.resolution import Package
from gpufleet.stack.resolve import resolve
from gpufleet.stack.wish import Wish
from tests.unit.stack.wishes import DEBIAN_12, DEBIAN_13, EL_9, HGX, MATRIX, UBUNTU

AUTO = {"toolkit": "auto", "toolkit_installed": True}
NEWEST = "the newest release for this driver and containerd"
KEY, FINGERPRINT = "https://nvidia.github.io/libnvidia-container/gpgkey", "C95B321B61E88C1809C4F759DDCAE044F796ECB0"
DAY = datetime.date(2026, 1, 1)


def chosen(system: System, wish: dict[str, Any], hardware: Hardware = HGX) -> Any:
    return resolve(hardware, system, Wish.model_validate(wish), MATRIX)


@pytest.mark.parametrize(
    ("system", "wish", "version", "reason"),
    [
        (DEBIAN_13, AUTO, "1.20.0", NEWEST),
        (DEBIAN_13, {"toolkit_installed": True}, "1.20.0", NEWEST),
        (UBUNTU, {**AUTO, "driver": "580", "source": "nvidia"}, "1.20.0", NEWEST),
        (DEBIAN_12, {**AUTO, "containerd": "auto", "containerd_source": "distribution"}, "1.18.2", NEWEST),
        (EL_9, {**AUTO, "containerd": "v1.6.36"}, "1.18.2", NEWEST),
        (DEBIAN_13, {**AUTO, "toolkit": "1.17.8"}, "1.17.8", "as wished"),
    ],
)
def test_choice(system: System, wish: dict[str, Any], version: str, reason: str) -> None:
    found = chosen(system, wish)
    assert found.errors == ()
    assert found.of("toolkit") == tuple(Package("toolkit", name, version, reason) for name in PACKAGES)
    evidence = Evidence(MATRIX, system, Wish.model_validate(wish), None)
    assert evidence.package(found.of("toolkit")[0]) is MATRIX.toolkit_release(version)


@pytest.mark.parametrize(("system", "path"), [(DEBIAN_13, "deb/amd64"), (UBUNTU, "deb/amd64"), (EL_9, "rpm/x86_64")])
def test_repository(system: System, path: str) -> None:
    (repository,) = chosen(system, AUTO).repositories
    url = f"https://nvidia.github.io/libnvidia-container/stable/{path}/"
    assert (repository.name, repository.url) == ("nvidia-container-toolkit", url)
    assert (repository.key_place, repository.fingerprint) == (KEY, FINGERPRINT)
    assert repository.signed == ("metadata" if "rpm" in path else "packages")


def test_a_host_without_gpus_needs_none() -> None:
    found = chosen(DEBIAN_13, AUTO, Hardware())
    assert (found.of("toolkit"), found.repositories, found.errors) == ((), (), ())
    assert found.reasons["toolkit"] == "the host has no NVIDIA GPU"


def test_only_named_is_not_installed() -> None:
    found = chosen(DEBIAN_13, {"toolkit": "1.19.1"})
    assert (found.of("toolkit"), found.repositories, found.errors) == ((), (), ())


RULE = "(row rule container toolkit; gpufleet/stack/matrix/toolkit.yaml, read 2026-11-23)"


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        (
            {"toolkit": "auto"},
            "error: toolkit: expected a version such as 1.19.1, as no role installs the container toolkit here, found "
            "'auto'; write the version that is there, or give the host the key container_toolkit (row rule versions; "
            "NVIDIA driver installation guide 620, 2026-11-09)",
        ),
        (
            {**AUTO, "containerd": "1.5.11"},
            "error: toolkit: expected a release for this driver and containerd: 1.17.8 asks for containerd 1.6, 1.18.0 "
            "asks for containerd 1.6, 1.18.2 asks for containerd 1.6, 1.19.1 asks for containerd 1.7, 1.20.0 asks for "
            "containerd 1.7, found driver branch unknown, containerd 1.5.11; choose another containerd or driver, or "
            f"add rows of your own beside the inventory {RULE}",
        ),
        (
            {**AUTO, "toolkit": "1.19.1", "containerd": "1.6.36"},
            "error: toolkit: expected containerd 1.7 or newer for container toolkit 1.19.1, found containerd 1.6.36; "
            "choose a newer containerd or an older container toolkit (row toolkit 1.19.1; NVIDIA Container Toolkit "
            "release notes, https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/latest/"
            "release-notes.html)",
        ),
        (
            {**AUTO, "toolkit": "newest"},
            "error: toolkit: expected a version such as 1.34.2, found 'newest'; write it like that (row rule versions; "
            "NVIDIA driver installation guide 620, 2026-11-09)",
        ),
    ],
)
def test_refused(wish: dict[str, Any], message: str) -> None:
    said = check(HGX, DEBIAN_13, Wish.model_validate(wish), MATRIX, DAY, strict=False)
    assert [str(verdict) for verdict in said if verdict.level == "error"] == [message]


def test_a_system_without_the_repository() -> None:
    (error,) = chosen(System("ubuntu", "20.04"), AUTO).errors
    assert error.expected.startswith(
        "a system that NVIDIA has a repository for, as libnvidia-container1 comes from there: debian-12 aarch64, "
    )


@pytest.mark.parametrize(("version", "expected"), [("1.17.8", False), ("1.18.0", True), ("1.20.0", True)])
def test_which_releases_write_the_specification_themselves(version: str, expected: bool) -> None:
    assert refreshes(version) is expected
