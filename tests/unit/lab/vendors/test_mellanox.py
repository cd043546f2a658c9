"""What DOCA-OFED's repositories of the lab say: releases and systems of the matrix, exact relations, and keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gpufleet.lab import vendors
from gpufleet.lab.vendors import mellanox
from gpufleet.lab.vendors.package import Package, relation
from gpufleet.lab.vendors.releases import read
from gpufleet.stack.matrix import load

MATRIX = load()
#: Every repository that the lab serves, with its packages.
SERVED = {
    (words["doca"], system): (words, mellanox.packages(system, words))
    for system in read("doca-repositories")
    for words in mellanox.offered(system)
}
#: Names that the distributions themselves provide.
OUTSIDE = {"udev", "systemd-udev"}
each = pytest.mark.parametrize("repository", SERVED, ids=" ".join)


@pytest.fixture(autouse=True, scope="module")
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


def of_name(packages: list[Package], name: str) -> Package:
    (found,) = [package for package in packages if package.name == name]
    return found


def test_the_lab_serves_what_the_matrix_has_but_for_enterprise_linux_8() -> None:
    paths = {row.system: row.path for row in MATRIX.repositories if row.name == "doca" and row.arch == "x86_64"}
    wanted = {
        f"{paths[system].replace('{version}', row.version)}{row.key_file or 'GPG-KEY-Mellanox.pub'}"
        for row in MATRIX.ofed
        for system in row.systems
        if row.kind == "doca" and system != "el-8"
    }
    served = {
        f"{mellanox.PLACE}/{doca}/{system}/x86_64/{words['docakey']}" for (doca, system), (words, _) in SERVED.items()
    }
    assert served == wanted


@each
def test_relations_hold_inside_a_release(repository: tuple[str, str]) -> None:
    packages = SERVED[repository][1]
    offered = {package.name: package.version for package in packages}
    wanted = [relation(text) for package in packages for text in package.depends]
    assert [want.name for want in wanted if want.name not in {*offered, *OUTSIDE}] == []
    assert [(want, offered[want.name]) for want in wanted if want.version and want.version != offered[want.name]] == []


@each
def test_the_profile_brings_the_packages_and_modules_of_the_matrix(repository: tuple[str, str]) -> None:
    doca, system = repository
    _, packages = SERVED[repository]
    stack = MATRIX.rdma_stack("doca", "rpm" if system.startswith("rhel") else "deb")
    assert stack
    assert of_name(packages, "doca-ofed").version.partition("-")[0] == doca
    assert {*stack.packages, *stack.excluded} <= {package.name for package in packages}
    known = [file.data for package in packages for file in package.files if file.path.endswith("/dkms.conf")]
    names = {
        line.split('"')[1] for text in known for line in text.decode().splitlines() if line.startswith("PACKAGE_N")
    }
    assert names == set(stack.dkms_modules)


def test_modules_carry_the_version_of_their_release() -> None:
    _, packages = SERVED["3.2.1", "ubuntu22.04"]
    core = of_name(packages, "mlnx-ofed-kernel-dkms")
    assert core.version == "25.10.OFED.25.10.1.7.1.1-1"
    folder = "/usr/src/mlnx-ofed-kernel-25.10.OFED.25.10.1.7.1.1"
    files = {file.path: file for file in core.files}
    assert b'MODULE_VERSION("25.10-1.7.1");' in files[f"{folder}/module.in"].data
    assert (files[f"{folder}/configure"].mode, files[f"{folder}/publish"].mode) == (0o755, 0o755)


def test_a_repository_has_its_key_beside_the_packages_as_its_release_has_it(tmp_path: Path) -> None:
    mellanox.fill(tmp_path)
    place = tmp_path / "public/repo/doca"
    assert (place / "3.2.2/rhel9/x86_64/GPG-KEY-Mellanox.pub").read_bytes() == vendors.key().armored()
    assert (place / "3.2.3/ubuntu24.04/x86_64/doca_keyring.gpg").read_bytes() == vendors.key().public()
    assert "\nLabel: DOCA-HOST\n" in (place / "3.2.3/ubuntu24.04/x86_64/Release").read_text()
