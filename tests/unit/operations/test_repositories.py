"""Repositories as whole plans: what is written, in which order, and what a second run leaves alone."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from pyinfra.api.deploy import deploy
from pyinfra.facts.files import Directory, File, Sha1File

from gpufleet.facts.family import DEBIAN, EL, OsFamily
from gpufleet.facts.repositories import KeyFile, RepositoryKey, YumRepositories
from gpufleet.facts.rpm import InstalledVersions
from gpufleet.facts.sources import SourcesFiles
from gpufleet.operations import repositories, vendor_repository
from gpufleet.stack.resolution import Repository
from tests.support.plans import Facts, plan

BASE = "https://developer.download.nvidia.com/compute/cuda/repos"
APT_KEY = "EB693B3035CD5710E231E123A4B469963BF863CC"
DNF_KEY = "610C7B14E068A878070DA4E99CD0A493D42D0685"
SOURCES = (
    f"# Managed by gpufleet; do not edit\nTypes: deb\nURIs: {BASE}/ubuntu2404/x86_64/\nSuites: /\n"
    "Signed-By: /etc/apt/keyrings/nvidia-cuda.gpg\n"
)
REPO = (
    "# Managed by gpufleet; do not edit\n[cuda-rhel9]\nname=cuda-rhel9\n"
    f"baseurl={BASE}/rhel9/x86_64/\nenabled=1\ngpgcheck=1\n"
    "gpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-cuda-rhel9\nexcludepkgs=mft* kernel-mft*\n"
    "repo_gpgcheck=1\npriority=90\n"
)
OWNED = {"user": "root", "group": "root"}


def _there(text: str, family: str, key: str) -> dict[Any, Any]:
    """Return the facts of a host that has the file and the key."""
    return {
        OsFamily: family,
        RepositoryKey: KeyFile((key,)),
        Directory: OWNED | {"mode": 755},
        File: OWNED | {"mode": 644},
        Sha1File: hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest(),
    }


@deploy("Vendor")
def _apt(present: bool = True) -> None:
    repositories.apt_source(
        source="nvidia-cuda",
        uri=f"{BASE}/ubuntu2404/x86_64/",
        key="3bf863cc.pub",
        fingerprint=APT_KEY,
        present=present,
        name="Use it",
    )


@deploy("Vendor")
def _dnf(present: bool = True) -> None:
    repositories.dnf_repository(
        repository="cuda-rhel9",
        baseurl=f"{BASE}/rhel9/x86_64/",
        key="D42D0685.pub",
        fingerprint=DNF_KEY,
        options={"excludepkgs": "mft* kernel-mft*", "repo_gpgcheck": True, "priority": 90},
        present=present,
        name="Use it",
    )


@pytest.mark.parametrize(
    ("steps", "family", "text", "url"),
    [
        pytest.param(_apt, DEBIAN, SOURCES, f"{BASE}/ubuntu2404/x86_64/3bf863cc.pub", id="apt"),
        pytest.param(_dnf, EL, REPO, f"{BASE}/rhel9/x86_64/D42D0685.pub", id="dnf"),
    ],
)
def test_the_key_comes_first_then_the_file(steps: Any, family: str, text: str, url: str) -> None:
    found = plan(steps, {OsFamily: family, Directory: lambda path: None if "." in path else OWNED | {"mode": 755}})
    assert [line for line in text.splitlines() if f"     | {line}\n" not in found] == []
    assert 0 < found.index(url) < found.index("     upload ")


@pytest.mark.parametrize(
    ("steps", "facts"),
    [
        pytest.param(_apt, _there(SOURCES, DEBIAN, APT_KEY), id="apt"),
        pytest.param(_dnf, _there(REPO, EL, DNF_KEY), id="dnf"),
    ],
)
def test_a_second_run_changes_nothing(steps: Any, facts: dict[Any, Any]) -> None:
    lines = plan(steps, facts).splitlines()
    assert [line for line in lines[1:] if not line.startswith("     nothing to do: ")] == []


def test_a_host_without_gpg_gets_it_first() -> None:
    found = plan(_apt, {OsFamily: DEBIAN, RepositoryKey: KeyFile(can_read=False)})
    assert found.index("apt-get install gpg (within 1800 s)") < found.index("3bf863cc.pub")


def test_an_apt_source_goes_with_its_key() -> None:
    assert plan(lambda: _apt(present=False), _there(SOURCES, DEBIAN, APT_KEY)) == (
        "Vendor | Use it\n     rm -f /etc/apt/sources.list.d/nvidia-cuda.sources\n"
        "     rm -f /etc/apt/keyrings/nvidia-cuda.gpg\n"
    )


def test_a_dnf_repository_goes_with_its_key() -> None:
    assert plan(lambda: _dnf(present=False), _there(REPO, EL, DNF_KEY)) == (
        "Vendor | Use it\n     rm -f /etc/yum.repos.d/cuda-rhel9.repo\n"
        "     rm -f /etc/pki/rpm-gpg/RPM-GPG-KEY-cuda-rhel9\n"
    )


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        pytest.param({"crb": True}, "nothing to do: repository crb is on", id="on"),
        pytest.param({"crb": False}, "dnf config-manager --set-enabled crb", id="off"),
        pytest.param(
            {"codeready-builder-for-rhel-9-x86_64-rpms": False},
            "dnf config-manager --set-enabled codeready-builder-for-rhel-9-x86_64-rpms",
            id="Red Hat's own name",
        ),
        pytest.param(
            {},
            "printf '%s\\n' 'gpu-07: /etc/yum.repos.d: expected a repository called crb or "
            "codeready-builder-for-rhel-9-x86_64-rpms or codeready-builder-for-rhel-10-x86_64-rpms, found none; "
            "subscribe the host, or add the site'\"'\"'s mirror of it under one of these names' >&2; false",
            id="none",
        ),
    ],
)
def test_build_dependencies(known: dict[str, bool], expected: str) -> None:
    facts: Facts = {YumRepositories: known, InstalledVersions: {"dnf-plugins-core": "4.3.0-20.el9"}}
    found = plan(lambda: repositories.build_dependencies(name="Switch it on"), facts)
    assert found.splitlines()[1].strip() == expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param({YumRepositories: {"epel": True}}, ["nothing to do: repository epel is on"], id="on"),
        pytest.param(
            {YumRepositories: {}},
            [
                "dnf makecache --setopt=*.metadata_expire=3600 (within 600 s)",
                "dnf install --setopt=install_weak_deps=False -- epel-release (within 1800 s)",
            ],
            id="fresh",
        ),
        pytest.param(
            {
                YumRepositories: {"epel": False},
                InstalledVersions: {"epel-release": "9-10.el9", "dnf-plugins-core": "4.3.0-20.el9"},
            },
            ["dnf config-manager --set-enabled epel"],
            id="off",
        ),
    ],
)
def test_epel(facts: dict[Any, Any], expected: list[str]) -> None:
    found = plan(lambda: repositories.epel(name="Use EPEL"), facts)
    assert [line.strip() for line in found.splitlines()[1:]] == expected


def test_another_entry_for_the_same_archive_goes() -> None:
    """apt refuses two that differ in their keys; a file of nothing else goes, in others the entry is commented out."""
    line = f"deb [signed-by=/usr/share/keyrings/cuda-archive-keyring.gpg] {BASE}/ubuntu2404/x86_64/ /\n"
    files = {
        "/etc/apt/sources.list.d/cuda.sources": SOURCES,
        "/etc/apt/sources.list.d/cuda-ubuntu2404-x86_64.list": line,
        "/etc/apt/sources.list": f"deb https://archive.example.org/ubuntu noble main\n{line}",
    }
    vendors = Repository("cuda", BASE, "ubuntu2404/x86_64", "3bf863cc.pub", APT_KEY, "the matrix")
    facts = {**_there("", DEBIAN, APT_KEY), SourcesFiles: files}
    _, commands = plan(lambda: vendor_repository.used(repository=vendors, name="Use it"), facts).split(
        "     chmod 644 /etc/apt/sources.list.d/cuda.sources\n"
    )
    assert commands == (
        "     rm -f /etc/apt/sources.list.d/cuda-ubuntu2404-x86_64.list\n"
        "     upload /etc/apt/sources.list\n"
        "     | deb https://archive.example.org/ubuntu noble main\n"
        f"     | # off by gpufleet: {line}"
        "     chown root:root /etc/apt/sources.list\n"
        "     chmod 644 /etc/apt/sources.list\n"
    )
