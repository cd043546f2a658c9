"""containerd: whose packages, which release, and what cannot be had."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from gpufleet.stack.check import check
from gpufleet.stack.machine import Hardware, System
from gpufleet.stack.resolution import Package, Repository, Service
from gpufleet.stack.resolve import resolve
from gpufleet.stack.wish import Wish
from tests.unit.stack.wishes import DEBIAN_12, DEBIAN_13, EL_9, EL_10, MATRIX, UBUNTU

OWN = {"containerd": "auto", "containerd_source": "distribution"}
VENDOR = {"containerd": "auto", "containerd_source": "vendor"}
DISTRIBUTIONS = "the newest release, the distribution's own package"
DOCKERS = "the newest release, Docker's repository"
DAY = datetime.date(2026, 1, 1)


def chosen(system: System, wish: dict[str, Any]) -> Any:
    return resolve(Hardware(), system, Wish.model_validate(wish), MATRIX)


@pytest.mark.parametrize(
    ("system", "wish", "name", "version", "reason"),
    [
        (DEBIAN_12, OWN, "containerd", "1.6.20~ds1-*", DISTRIBUTIONS),
        (DEBIAN_13, OWN, "containerd", "1.7.24~ds1-*", DISTRIBUTIONS),
        (UBUNTU, OWN, "containerd", "2.2.1", DISTRIBUTIONS),
        (DEBIAN_13, {**OWN, "containerd": "1.7.24"}, "containerd", "1.7.24~ds1-*",
         "the distribution's own package, as wished"),
        (UBUNTU, VENDOR, "containerd.io", "2.3.6", DOCKERS),
        (UBUNTU, {"containerd_source": "vendor"}, "containerd.io", "2.3.6", DOCKERS),
        (EL_10, VENDOR, "containerd.io", "2.3.6", DOCKERS),
        (UBUNTU, {**VENDOR, "kubelet": "v1.35.1"}, "containerd.io", "2.2.6",
         "the newest release that kubelet v1.35.1 may run with, Docker's repository"),
        (EL_9, {**VENDOR, "containerd": "2.2.9"}, "containerd.io", "2.2.9", "Docker's repository, as wished"),
    ],
)  # fmt: skip
def test_choice(system: System, wish: dict[str, Any], name: str, version: str, reason: str) -> None:
    found = chosen(system, wish)
    assert found.errors == ()
    runc = (Package("containerd", "runc", "", reason),) if name == "containerd" else ()
    plugins = (Package("containerd", "containernetworking-plugins", "", reason),) if system != EL_10 else ()
    assert found.of("containerd") == (Package("containerd", name, version, reason), *runc, *plugins)
    assert found.unwanted == (("containerd", "runc") if name == "containerd.io" else ("containerd.io",))
    assert found.services == (Service("containerd.service", True, reason="runs the pods that the kubelet asks for"),)


def test_repository_of_the_vendor() -> None:
    source = (
        "https://download.docker.com/linux/{}/gpg{}, fingerprint as in docs.docker.com's installation pages and as "
        "pinned by independent public installers"
    )
    deb, rpm = "9DC858229FC7DD38854AE2D88D81803C0EBFCD88", "060A61C51B558A7F742B77AAC52FEB6B621E9F35"
    base, path = "https://download.docker.com/", "linux/rhel/9/x86_64/stable/"
    assert chosen(DEBIAN_13, VENDOR).repositories == (
        Repository(
            "docker",
            base,
            "linux/debian/",
            "gpg",
            deb,
            source.format("ubuntu", " and linux/debian/gpg"),
            suites=("trixie",),
            components=("stable",),
        ),
    )
    assert chosen(EL_9, VENDOR).repositories == (
        Repository("docker", base, path, "../../../gpg", rpm, source.format("rhel", "")),
    )
    assert chosen(DEBIAN_13, OWN).repositories == ()


KNOWN = (
    "(row rule packages of containerd; gpufleet/stack/matrix/containerd.yaml; docker/containerd-packaging, "
    "read 2026-11-23)"
)


@pytest.mark.parametrize(
    ("system", "wish", "expected"),
    [
        (
            EL_9,
            OWN,
            "error: containerd_source: expected a system whose packages of this source are known: debian-12, "
            "debian-13, ubuntu-22.04, ubuntu-24.04, found distribution on el-9; choose the other source, or add rows "
            f"of your own beside the inventory {KNOWN}",
        ),
        (
            DEBIAN_13,
            {**OWN, "containerd": "2.2.6"},
            "error: containerd: expected the containerd of debian-13: 1.7.24, found 2.2.6; set version to auto, take "
            "the vendor's packages, or add a row of your own beside the inventory (row containerd release distribution "
            "1.7.24; package lists of Debian, main, amd64)",
        ),
        (
            UBUNTU,
            {"containerd": "auto"},
            "error: containerd: expected a version such as 2.2.6, as no role installs containerd here, found 'auto'; "
            "write the version that is there, or give the host the key container_runtime (row rule versions; NVIDIA "
            "driver installation guide 620, 2026-11-09)",
        ),
        (
            DEBIAN_13,
            {**OWN, "kubelet": "1.36.3"},
            "error: containerd: expected containerd 2.2.0 or newer for kubelet 1.36.3, found containerd 1.7.24; choose "
            'a newer containerd (row kubernetes 1.36; https://kubernetes.io/releases/ and "Version Skew Policy" there; '
            'containerd RELEASES.md, "Kubernetes Support")',
        ),
    ],
)
def test_what_cannot_be_had(system: System, wish: dict[str, Any], expected: str) -> None:
    found = chosen(system, wish)
    assert [str(error) for error in found.errors] == [expected]
    assert (found.packages, found.services, found.unwanted) == ((), (), ())


def test_no_release_for_the_kubelet() -> None:
    few = MATRIX.model_copy(update={"containerd_releases": MATRIX.containerd_releases[4:6]})
    found = resolve(Hardware(), UBUNTU, Wish.model_validate({**VENDOR, "kubelet": "1.36.3"}), few)
    assert [str(error) for error in found.errors] == [
        "error: containerd: expected a release for kubelet 1.36.3, found 1.7.29, 2.1.5 for ubuntu-24.04; choose "
        f"another kubelet, or name the version where you know of one {KNOWN}"
    ]


def test_end_of_support_of_what_auto_means() -> None:
    verdicts = check(Hardware(), DEBIAN_12, Wish.model_validate(OWN), MATRIX, DAY, False)
    assert [verdict.found for verdict in verdicts] == ["series 1.6, whose support ended on 2025-08-23"]
