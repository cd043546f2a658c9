"""Removal of the driver, and its return: nothing stays behind, and a build that the packages skipped is seen.

The tests tell one story and run in its order. It ends as it began, without another build.
"""

from __future__ import annotations

import pytest

from gpufleet.lab.lab import LabHost
from tests.support.driver_story import HOST, assert_green, assert_packages, changes, deploy
from tests.support.driver_watch import Sight, look
from tests.support.lab import OLD, Fleet

TREE, MODULES = "/var/lib/dkms/nvidia-current", "/lib/modules/$(uname -r)/updates/dkms"


@pytest.fixture(scope="module")
def host(fleet: Fleet) -> LabHost:
    """The host of the story."""
    return fleet.host(HOST)


def test_removal_leaves_nothing(fleet: Fleet, host: LabHost) -> None:
    host.execute(f"cp -a {TREE}/{OLD} /root/kept-build && cp -a {MODULES} /root/kept-modules")
    fleet.declare(**{HOST: {"nvidia_driver": {"state": "absent"}}})
    assert changes(fleet.deploy("driver.py", limit=(HOST,))) == [
        "Unload the driver",
        "Purge the driver's packages",
        "Remove the driver's pin",
    ]
    assert look(host) == Sight("none", {}, {})
    assert (
        host.execute("dkms status; dpkg-query -W -f '${Package} ${Status}' nvidia-persistenced", check=False).stdout
        == ""
    )
    assert host.execute(f"ls /etc/apt/preferences.d {TREE} {MODULES} | grep nvidia", check=False).stdout == ""
    assert_green(fleet)
    assert changes(fleet.deploy("driver.py", limit=(HOST,))) == []


def test_build_that_the_packages_skipped_is_seen(fleet: Fleet, host: LabHost) -> None:
    host.execute("mv /lib/modules/$(uname -r)/build /root/kept-link")
    [error] = deploy(fleet, OLD).failures()
    host.execute("mv /root/kept-link /lib/modules/$(uname -r)/build")
    kernel = host.execute("uname -r").stdout.strip()
    assert f"operation `NVIDIA driver | Build the kernel module for kernel {kernel}`" in error
    assert f"Your kernel headers for kernel {kernel} cannot be found" in error
    assert look(host).loaded == "none"
    assert_packages(look(host), OLD)


def test_driver_returns(fleet: Fleet, host: LabHost) -> None:
    # The build of the first deploy is put back: another one would take minutes and prove nothing new.
    host.execute(f"rm -rf {TREE}/{OLD} && mv /root/kept-build {TREE}/{OLD}")
    host.execute(
        f"rm -rf {MODULES} && mkdir -p {MODULES} && mv /root/kept-modules/* {MODULES} && rmdir /root/kept-modules"
    )
    host.execute("depmod")
    assert f"Load driver {OLD}" in changes(deploy(fleet, OLD))
    assert look(host).loaded == OLD
    assert_green(fleet)
    assert changes(deploy(fleet, OLD)) == []
