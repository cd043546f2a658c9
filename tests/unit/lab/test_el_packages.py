"""The stand-in packages of Enterprise Linux, as dnf will resolve them."""

from __future__ import annotations

import pytest

from gpufleet.lab import el_packages, el_repositories
from gpufleet.lab.systems import SYSTEMS, System
from gpufleet.lab.vendors.package import Package, relation
from gpufleet.stack.matrix import load

RELEASES = [os for os in SYSTEMS.values() if os.family == "el"]
each_release = pytest.mark.parametrize("os", RELEASES, ids=el_repositories.major)


def everything(os: System) -> list[Package]:
    return [package for packages in el_packages.offered(os).values() for package in packages]


def names(package: Package) -> set[str]:
    return {package.name, *(relation(text).name for text in package.provides)}


@each_release
def test_every_dependency_is_offered(os: System) -> None:
    known = {name for package in everything(os) for name in names(package)}
    needed = {relation(text).name for package in everything(os) for text in package.depends}
    assert needed - known == set()


@each_release
def test_every_package_is_offered_once(os: System) -> None:
    offered = [package.name for package in everything(os)]
    assert sorted(offered) == sorted(set(offered))


def test_the_headers_of_the_running_kernel_go_by_its_name() -> None:
    os = SYSTEMS["rocky-9-stand-in"]
    devel = next(package for package in everything(os) if package.name == "kernel-devel")
    assert (devel.version, devel.provides) == (
        "5.14.0-570.17.1.el9_6",
        ("kernel-devel-uname-r = 5.14.0-570.17.1.el9_6.x86_64",),
    )


def test_the_release_package_tells_dnf_its_release_and_module_platform() -> None:
    release = el_packages.release(SYSTEMS["rocky-10-stand-in"])
    assert {"system-release(releasever) = 10", "base-module(platform:el10)"} <= set(release.provides)


@each_release
def test_dkms_comes_from_epel_alone_whose_repository_comes_with_a_package(os: System) -> None:
    offered = el_packages.offered(os)
    assert [name for name, packages in offered.items() if any(one.name == "dkms" for one in packages)] == ["EPEL"]
    epel = next(one for one in offered["extras"] if one.name == "epel-release")
    assert [file.path for file in epel.files] == ["/etc/yum.repos.d/epel.repo"]
    assert b"baseurl=http://archive:3142/el/$releasever/EPEL/$basearch/" in epel.files[0].data


@each_release
def test_what_is_installed_can_be_installed_again(os: System) -> None:
    assert {package.name for package in el_packages.installed(os)} <= {package.name for package in everything(os)}


@each_release
def test_roles_of_the_fabric_find_their_packages(os: System) -> None:
    stack = load().rdma_stack("inbox", "rpm")
    assert stack
    assert {*stack.packages, "opensm", "logrotate", "mstflint", "pciutils"} <= {one.name for one in everything(os)}
