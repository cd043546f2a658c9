"""What NVIDIA's repositories of the lab say: names, versions and relations, release by release."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

import pytest

from gpufleet.lab.vendors import declared
from gpufleet.lab.vendors.package import Package, relation
from gpufleet.lab.vendors.releases import read
from gpufleet.stack.matrix import load
from gpufleet.stack.matrix.software_rows import Repository

REPOSITORIES = ("ubuntu2204", "ubuntu2404", "debian12", "debian13", "rhel9", "rhel10")
#: Names that the distributions themselves provide.
OUTSIDE = {"dkms", "kmod", "libc6", "build-essential", "libibumad3", "libibumad", "gcc-c++", "bash"}
#: Rows of the matrix for the repositories of drivers that the lab serves.
SERVED = [
    row
    for row in load().repositories
    if row.name == "cuda" and row.path.rstrip("/").endswith(tuple(f"{name}/x86_64" for name in REPOSITORIES))
]


@pytest.fixture(autouse=True, scope="module")
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@functools.cache
def packages_of(repository: str) -> list[Package]:
    return declared.packages(repository)


def versions(packages: list[Package], name: str) -> list[str]:
    return [package.version for package in packages if package.name == name]


def one(repository: str, name: str, version: str) -> Package:
    (found,) = [p for p in packages_of(repository) if (p.name, p.version) == (name, version)]
    return found


def wants(packages: list[Package]) -> Iterator[tuple[str, list[str]]]:
    for package in packages:
        for text in package.depends:
            yield package.name, [relation(choice).name for choice in text.split(" | ")]


@pytest.mark.parametrize("repository", REPOSITORIES)
def test_every_dependency_has_a_provider(repository: str) -> None:
    packages = packages_of(repository)
    offered = {package.name for package in packages} | OUTSIDE
    offered |= {relation(text).name for package in packages for text in package.provides}
    assert [(name, names) for name, names in wants(packages) if not offered & set(names)] == []


@pytest.mark.parametrize("repository", REPOSITORIES)
def test_no_package_is_declared_twice(repository: str) -> None:
    names = [(package.name, package.version) for package in packages_of(repository)]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("repository", REPOSITORIES)
def test_every_driver_release_has_its_companions(repository: str) -> None:
    names = {(package.name, package.evr[1]) for package in packages_of(repository)}
    rpm = repository.startswith("rhel")
    for row in read("releases")["drivers"]:
        branch = int(row["version"].split(".")[0])
        suffix = f"-{branch}" if branch < 580 else ""
        manager = "nvidia-fabric-manager" if rpm else f"nvidia-fabricmanager-{branch}"
        assert (manager if branch < 580 else "nvidia-fabricmanager", row["version"]) in names
        assert (f"libnvidia-nscq{suffix}", row["version"]) in names
        assert (f"nvidia-imex{suffix}", row["version"]) in names or branch < 550
        assert (f"libnvsdm{suffix}", row["version"]) in names or branch < 560


@pytest.mark.parametrize(
    ("repository", "name", "expected"),
    [
        ("ubuntu2404", "nvidia-open", ["570.172.08-0ubuntu1", "570.195.03-0ubuntu1", "580.95.05-0ubuntu1",
                                       "580.105.08-0ubuntu1", "590.48.01-0ubuntu1", "595.58.03-1ubuntu1"]),
        ("ubuntu2404", "nvidia-dkms-580-open", ["580.95.05-0ubuntu1", "580.105.08-0ubuntu1"]),
        ("ubuntu2404", "nvidia-dkms-open", ["590.48.01-0ubuntu1", "595.58.03-1ubuntu1"]),
        ("ubuntu2404", "nvidia-dkms-590-open", []),
        ("ubuntu2404", "nvidia-fabricmanager-570", ["570.172.08-1", "570.195.03-1"]),
        ("ubuntu2404", "nvidia-fabricmanager", ["580.95.05-1", "580.105.08-1", "590.48.01-1", "595.58.03-1ubuntu1"]),
        ("ubuntu2404", "nvidia-fabricmanager-580", []),
        ("ubuntu2404", "nvidia-driver-pinning-580", ["580-5"]),
        ("ubuntu2404", "nvidia-driver-pinning-535", []),
        ("ubuntu2404", "nvidia-driver-pinning-580.95.05", []),
        ("ubuntu2404", "nvidia-driver-pinning-580.105.08", ["580.105.08-1"]),
        ("debian12", "cuda-drivers-580", ["580.95.05-1", "580.105.08-1"]),
        ("debian12", "cuda-drivers-590", []),
        ("debian13", "libnccl2", ["2.21.5-1+cuda12.4", "2.27.7-1+cuda12.9", "2.28.3-1+cuda12.9", "2.28.3-1+cuda13.0"]),
        ("debian13", "cuda-toolkit-12-9", ["12.9.1-1"]),
        ("rhel9", "kmod-nvidia-open-dkms", ["3:535.261.03-1.el9", "3:570.172.08-1.el9", "3:570.195.03-1.el9",
                                            "3:580.95.05-1.el9", "3:580.105.08-1.el9", "3:590.48.01-1.el9",
                                            "3:595.58.03-1.el9"]),
        ("rhel10", "nvidia-fabricmanager", ["580.95.05-1", "580.105.08-1", "590.48.01-1", "595.58.03-1"]),
        ("rhel9", "nvidia-fabric-manager", ["535.261.03-1", "570.172.08-1", "570.195.03-1"]),
        ("rhel9", "datacenter-gpu-manager-4-cuda13", ["1:4.4.1-1"]),
    ],
)  # fmt: skip
def test_names_and_versions_are_nvidias(repository: str, name: str, expected: list[str]) -> None:
    assert versions(packages_of(repository), name) == expected


def test_the_branch_packages_of_debian_have_no_upper_bound() -> None:
    package = one("debian12", "cuda-drivers-580", "580.105.08-1")
    assert package.depends == (
        "nvidia-driver >= 580.105.08", "nvidia-driver-cuda >= 580.105.08", "nvidia-kernel-dkms >= 580.105.08",
    )  # fmt: skip


def test_the_old_name_of_the_fabric_manager_is_only_provided_from_580_on() -> None:
    assert one("ubuntu2404", "nvidia-fabricmanager", "580.105.08-1").provides == ("nvidia-fabricmanager-580",)


@pytest.mark.parametrize(("version", "name"), [("535.261.03", "nvidia-open"), ("580.105.08", "nvidia")])
def test_dkms_knows_the_open_modules_by_the_name_of_their_time(version: str, name: str) -> None:
    package = one("rhel9", "kmod-nvidia-open-dkms", f"3:{version}-1.el9")
    (conf,) = [file for file in package.files if file.path.endswith("/dkms.conf")]
    assert conf.path == f"/usr/src/{name}-{version}/dkms.conf"
    assert f'PACKAGE_NAME="{name}"\nPACKAGE_VERSION="{version}"\n'.encode() in conf.data
    assert f"dkms add -m {name} -v {version} -q" in package.scripts["postinst"]


@pytest.mark.parametrize(
    ("name", "license_", "build"),
    [("nvidia-kernel-dkms", "NVIDIA", "x86_64 Kernel Module"),
     ("nvidia-kernel-open-dkms", "Dual MIT/GPL", "Open Kernel Module for x86_64")],
)  # fmt: skip
def test_a_module_says_its_flavor(name: str, license_: str, build: str) -> None:
    (header,) = [f for f in one("debian12", name, "590.48.01-1").files if f.path.endswith("/nv-release.h")]
    assert f'#define NV_LICENSE "{license_}"' in header.data.decode()
    assert f'#define NV_BANNER "NVIDIA UNIX {build}  590.48.01  Release Build' in header.data.decode()


@pytest.mark.parametrize("row", SERVED, ids=lambda row: row.system)
def test_a_key_has_the_name_that_the_matrix_knows(row: Repository) -> None:
    assert read("repositories")[row.path.split("/")[-3]]["key"] == row.key_file


@pytest.mark.parametrize("repository", REPOSITORIES)
def test_no_word_is_left_unfilled(repository: str) -> None:
    for package in packages_of(repository):
        for file in package.files:
            assert not re.search(rb"@[a-z][a-z-]*@", file.data), (package.name, file.path)


@pytest.mark.parametrize("repository", ["rhel9", "rhel10"])
def test_no_package_obsoletes_a_release_that_the_repository_offers(repository: str) -> None:
    packages = packages_of(repository)
    offered = {package.name for package in packages}
    bare = {(package.name, text) for package in packages for text in package.replaces if not relation(text).sign}
    assert {(name, text) for name, text in bare if text in offered} == set()
