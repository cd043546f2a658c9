"""Building modules on a host, and fetching a build from a website, as whole plans."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pyinfra.facts.files import Directory, File
from pyinfra.facts.server import Which

from gpufleet.facts.family import DEBIAN, OsFamily
from gpufleet.facts.packages import AvailableVersions
from gpufleet.operations import precompiled
from gpufleet.precompiled.key import ModuleKey
from gpufleet.precompiled.repository import Website
from tests.support.artifacts import artifact
from tests.support.plans import Facts, plan

KEY = ModuleKey("debian-12", "x86_64", "6.1.0-56-amd64", "580.105.08", "open")
PACKAGE = "nvidia-kernel-open-dkms"
STAGED = "/var/cache/gpufleet/modules/staged"
FOLDER = "https://modules.fleet.internal/debian-12/x86_64/6.1.0-56-amd64"
MANIFEST, FILE = "nvidia-580.105.08-open.json", "modules.deb"
ARTIFACT = artifact(KEY, FILE, sha256="0" * 64)


def offers(*answers: list[str]) -> Callable[..., dict[str, list[str]]]:
    """The versions to be had: these answers one after another, the last one for good."""
    left: Iterator[list[str]] = iter(answers)
    last: list[list[str]] = []

    def answer(packages: list[str]) -> dict[str, list[str]]:
        last.append(next(left, last[-1] if last else []))
        return {PACKAGE: last[-1]}

    return answer


def built(target: Path, *answers: list[str]) -> list[str]:
    """Commands of a build on a host whose lists are like this, uploads and what belongs to them left out."""
    facts: Facts = {OsFamily: DEBIAN, AvailableVersions: offers(*answers), Directory: {"mode": 755}}

    def build() -> Any:
        return precompiled.built(
            key=KEY,
            module="nvidia",
            package=PACKAGE,
            version="580.105.08",
            packing="deb",
            target=str(target),
            name="Build",
        )

    _, *lines = plan(build, facts).splitlines()
    skipped = ("|", "upload ", "chown ", "chmod ", "mkdir ")
    return [line.strip() for line in lines if not line.strip().startswith(skipped)]


BUILD = (
    "timeout --kill-after=60 2400 /var/cache/gpufleet/modules/scripts/build deb nvidia 580.105.08 6.1.0-56-amd64 open "
    f"debian-12 {PACKAGE}=580.105.08-1 /var/cache/gpufleet/modules/built || {{ rc=$?; case $rc in 124|137) "
    "printf '%s\\n' 'gpu-07: expected driver 580.105.08 (open) for kernel 6.1.0-56-amd64 on debian-12 x86_64 to be "
    "built within 2400 seconds, found the build still running, and stopped it; free the host, or raise "
    "install_timeout' >&2;; esac; exit $rc; }"
)


def test_build(tmp_path: Path) -> None:
    assert built(tmp_path, ["590.48.01-1", "580.105.08-1"])[0] == BUILD


def test_lists_of_before_the_repository_are_read_again(tmp_path: Path) -> None:
    assert built(tmp_path, [], ["580.105.08-1"])[:2] == ["apt-get update", BUILD]


def test_sources_that_are_not_to_be_had(tmp_path: Path) -> None:
    assert built(tmp_path, [], ["570.195.03-1"]) == [
        "apt-get update",
        f"printf '%s\\n' 'gpu-07: expected {PACKAGE}=580.105.08 in a repository, found only {PACKAGE} 570.195.03-1; "
        "ask for one of these, or switch on the repository that has it' >&2; false",
        "failed",
    ]


@pytest.mark.parametrize("left_behind", [None, {"mode": 644, "user": "root", "group": "root"}])
def test_website(left_behind: dict[str, Any] | None) -> None:
    """The directory is made before the first download, and what an interrupted run left is fetched again."""
    facts: Facts = {Which: "/usr/bin/curl", File: left_behind}
    site, key = Website("https://modules.fleet.internal/"), "ssh-ed25519 AAAA"
    text = plan(lambda: precompiled.staged(artifact=ARTIFACT, repository=site, public_key=key, name="Fetch"), facts)
    lines = [line.strip() for line in text.splitlines()]
    fetched = [line.partition(" -o ")[0] for line in lines if line.startswith("curl")]
    assert fetched == [f"curl -sSLf --max-time 600 {FOLDER}/{name}" for name in (MANIFEST, f"{MANIFEST}.sig", FILE)]
    assert lines.index(f"mkdir -p {STAGED}") < min(i for i, line in enumerate(lines) if line.startswith("curl"))
