"""What the lab's archive of Ubuntu says of NVIDIA's driver: names, versions and relations, and how it is laid out."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gpufleet.lab.vendors import canonical
from gpufleet.lab.vendors.package import Package, relation
from gpufleet.stack.matrix import load
from gpufleet.stack.matrix.driver_rows import Scheme
from gpufleet.stack.templates import fill

OUTSIDE = {"dkms", "kmod", "libc6"}
SUITES = [(codename, pocket) for codename in canonical.RELEASES for pocket in canonical.POCKETS]
#: Rows of the matrix for packages of Ubuntu itself that the host's own DKMS builds.
SCHEMES = [
    row for row in load().schemes
    if "ubuntu-24.04" in row.systems and row.origin == "distribution" and row.modules == "dkms"
]  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The whole archive, written with a key of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        folder = tmp_path_factory.mktemp("ubuntu")
        canonical.fill(folder)
        yield folder


def every(codename: str) -> list[Package]:
    """The packages of all pockets of a release."""
    return [package for pocket in canonical.POCKETS for package in canonical.packages(codename, pocket)]


def one(name: str, version: str) -> Package:
    (found,) = [package for package in every("noble") if (package.name, package.version) == (name, version)]
    return found


@pytest.mark.parametrize("codename", canonical.RELEASES)
def test_every_dependency_has_a_provider(codename: str) -> None:
    packages = every(codename)
    offered = {(package.name, package.version) for package in packages}
    names = {package.name for package in packages} | OUTSIDE
    wants = [(package.name, relation(text)) for package in packages for text in package.depends]
    exact = [(name, wish) for name, wish in wants if wish.sign == "=" and (wish.name, wish.version) not in offered]
    assert (exact, [(name, wish) for name, wish in wants if wish.name not in names]) == ([], [])


@pytest.mark.parametrize(("codename", "pocket"), SUITES)
def test_a_pocket_has_one_version_of_a_package(codename: str, pocket: str) -> None:
    names = [package.name for package in canonical.packages(codename, pocket)]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize(
    ("codename", "name", "expected"),
    [
        ("noble", "nvidia-headless-580-server-open",
         ["580.105.08-0ubuntu0.24.04.1", "580.95.05-0ubuntu0.24.04.1"]),
        ("jammy", "nvidia-headless-580-server", ["580.105.08-0ubuntu0.22.04.1", "580.95.05-0ubuntu0.22.04.1"]),
        ("noble", "nvidia-driver-570-server-open", ["570.211.01-0ubuntu1.24.04.1", "570.195.03-0ubuntu0.24.04.1"]),
        ("noble", "nvidia-headless-no-dkms-590-server-open", ["590.48.01-0ubuntu0.24.04.1"]),
        ("noble", "nvidia-firmware-580-server-580.95.05", ["580.95.05-0ubuntu0.24.04.1"]),
        ("noble", "nvidia-persistenced", []),
        ("noble", "nvidia-dkms-open", []),
    ],
)  # fmt: skip
def test_names_and_versions_are_canonicals(codename: str, name: str, expected: list[str]) -> None:
    assert [package.version for package in every(codename) if package.name == name] == expected


@pytest.mark.parametrize("branch", [570, 580, 590])
@pytest.mark.parametrize("row", SCHEMES, ids=[f"{row.branches}-{row.flavor}-{row.profile}" for row in SCHEMES])
def test_what_the_matrix_names_is_in_the_archive(row: Scheme, branch: int) -> None:
    wanted = {fill(name, branch, "", "") for name in (*row.packages, row.persistenced) if branch in row.branches}
    assert wanted - {package.name for package in every("noble")} == set()


def test_an_ended_branch_keeps_its_names_and_brings_the_next() -> None:
    ended = [package for package in every("noble") if package.version == "570.211.01-0ubuntu1.24.04.1"]
    assert {package.name for package in ended} == {
        package.name for package in every("noble")
        if package.version == "570.195.03-0ubuntu0.24.04.1" and "firmware" not in package.name
    }  # fmt: skip
    assert {(package.depends, package.files) for package in ended} == {
        ((package.name.replace("570", "580"),), ()) for package in ended
    }


def test_the_flavors_exclude_each_other() -> None:
    for flavor in ("", "-open"):
        dkms = one(f"nvidia-dkms-580-server{flavor}", "580.105.08-0ubuntu0.24.04.1")
        assert dkms.conflicts == dkms.provides == ("nvidia-dkms-kernel",)
        source = one(f"nvidia-kernel-source-580-server{flavor}", "580.105.08-0ubuntu0.24.04.1")
        assert source.conflicts == source.provides == ("nvidia-kernel-source",)


@pytest.mark.parametrize("codename", canonical.RELEASES)
def test_no_word_is_left_unfilled(codename: str) -> None:
    for package in every(codename):
        texts = [package.name, package.version, *package.depends, *package.scripts.values()]
        data = b"".join([*(file.data for file in package.files), *(text.encode() for text in texts)])
        assert not re.search(rb"@[a-z][a-z-]*@", data), package.name


def test_a_release_file_tells_suite_component_and_digest(archive: Path) -> None:
    folder = archive / "dists/noble-security"
    packages, release = (folder / "restricted/binary-amd64/Packages").read_bytes(), (folder / "Release").read_text()
    assert release.startswith(
        "Origin: Ubuntu\nLabel: Ubuntu\nSuite: noble-security\nVersion: 24.04\nCodename: noble\nArchitectures: amd64\n"
        "Components: restricted\nDescription: Ubuntu Noble Security\nDate: "
    )
    digest = hashlib.sha256(packages).hexdigest()
    assert f" {digest} {len(packages)} restricted/binary-amd64/Packages\n" in release
    assert gzip.decompress((folder / "restricted/binary-amd64/Packages.gz").read_bytes()) == packages
    assert release.splitlines()[0] in (folder / "InRelease").read_text()


@pytest.mark.parametrize(("codename", "pocket"), SUITES)
def test_every_package_lies_where_the_index_says(archive: Path, codename: str, pocket: str) -> None:
    suite = dict(zip(canonical.POCKETS, canonical.suites(codename), strict=True))[pocket]
    text = (archive / "dists" / suite / "restricted/binary-amd64/Packages").read_text()
    sums = dict(zip(re.findall("Filename: (.*)", text), re.findall("SHA256: (.*)", text), strict=True))
    assert len(sums) == len(canonical.packages(codename, pocket))
    assert sums == {path: hashlib.sha256((archive / path).read_bytes()).hexdigest() for path in sums}
    assert all(path.startswith("pool/restricted/n/nvidia-graphics-drivers-5") for path in sums)
