"""containerd.io of the lab: names, versions, relations, what is in it, and where it lies."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from gpufleet.lab import vendors
from gpufleet.lab.containerd import build, packages
from gpufleet.lab.containerd.programs import Programs
from gpufleet.lab.vendors.package import Package

RUNC = {"debian-12": b"runc 1.1.5", "debian-13": b"runc 1.1.15"}


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Programs]:
    """Two releases."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    made = []
    for version in ("2.2.6", "2.3.6"):
        folder = tmp_path / version
        folder.mkdir()
        for name in build.NAMES:
            (folder / name).write_text(f"{name} {version}")
        made.append(Programs(folder, version))
    return made


@pytest.fixture
def trixie(programs: list[Programs]) -> list[Package]:
    return list(packages.packages(packages.suites()[0], programs, RUNC["debian-13"]))


def test_names_versions_and_relations(programs: list[Programs]) -> None:
    found = {
        row["suite"]: [f"{one.name} {one.version}" for one in packages.packages(row, programs, b"")]
        for row in packages.suites()
    }
    assert found == {
        "trixie": ["containerd.io 2.2.6-1~debian.13~trixie", "containerd.io 2.3.6-1~debian.13~trixie"],
        "bookworm": ["containerd.io 2.2.6-1~debian.12~bookworm", "containerd.io 2.3.6-1~debian.12~bookworm"],
        "jammy": ["containerd.io 2.2.6-1~ubuntu.22.04~jammy", "containerd.io 2.3.6-1~ubuntu.22.04~jammy"],
        "noble": ["containerd.io 2.2.6-1~ubuntu.24.04~noble", "containerd.io 2.3.6-1~ubuntu.24.04~noble"],
    }


def test_it_takes_the_place_of_the_distributions(trixie: list[Package]) -> None:
    both = ("containerd", "runc")
    for one in trixie:
        assert (one.provides, one.conflicts, one.replaces) == (both, both, both)
        assert one.depends == ("libc6 >= 2.34", "libseccomp2 >= 2.5.0")


def test_programs_of_one_release_and_runc_are_in_it(trixie: list[Package]) -> None:
    _, second = trixie
    programs = {file.path: (file.data, file.mode) for file in second.files if file.path.startswith("/usr/bin/")}
    assert programs == {
        "/usr/bin/containerd": (b"containerd 2.3.6", 0o755),
        "/usr/bin/containerd-shim-runc-v2": (b"containerd-shim-runc-v2 2.3.6", 0o755),
        "/usr/bin/ctr": (b"ctr 2.3.6", 0o755),
        "/usr/bin/runc": (b"runc 1.1.15", 0o755),
    }


def test_it_is_configured_for_docker_alone(trixie: list[Package]) -> None:
    """Equal in all releases: dpkg asks nobody when it upgrades one whose file was changed."""
    files = [{file.path: file for file in one.files if file.config} for one in trixie]
    assert files[0] == files[1]
    assert list(files[0]) == ["/etc/containerd/config.toml"]
    assert tomllib.loads(files[0]["/etc/containerd/config.toml"].data.decode()) == {"disabled_plugins": ["cri"]}


def test_the_repositories(programs: list[Programs]) -> None:
    folder = packages.ensure(programs, RUNC)
    place = folder / "linux/debian/dists/trixie"
    assert sorted(str(path.relative_to(place)) for path in place.rglob("*") if path.is_file()) == [
        *("InRelease", "Release", "Release.gpg"),
        "pool/stable/amd64/containerd.io_2.2.6-1~debian.13~trixie_amd64.deb",
        "pool/stable/amd64/containerd.io_2.3.6-1~debian.13~trixie_amd64.deb",
        *("stable/binary-amd64/Packages", "stable/binary-amd64/Packages.gz"),
    ]
    listed = (place / "stable/binary-amd64/Packages").read_text()
    where = "dists/trixie/pool/stable/amd64/containerd.io_2.2.6-1~debian.13~trixie_amd64.deb"
    assert f"\nFilename: {where}\n" in listed
    assert (place.parents[1] / where).is_file()
    assert (place / "Release").read_text().splitlines()[:6] == [
        *("Origin: Docker", "Label: Docker CE", "Suite: trixie", "Codename: trixie"),
        *("Architectures: amd64", "Components: stable"),
    ]
    assert (folder / "linux/ubuntu/gpg").read_bytes() == vendors.key().armored()
    assert sorted(path.name for path in (folder / "linux").glob("*/dists/*")) == [
        "bookworm",
        "jammy",
        "noble",
        "trixie",
    ]
    assert packages.ensure(programs, RUNC).resolve() == folder.resolve()


def test_another_runc_is_another_repository(programs: list[Programs]) -> None:
    before = packages.ensure(programs, RUNC).resolve()
    assert packages.ensure(programs, {**RUNC, "debian-12": b"runc 1.1.16"}).resolve() != before
