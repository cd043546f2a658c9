"""Which builds a fleet needs, and who makes them."""

from __future__ import annotations

import pytest

from gpufleet.facts.machine import HostMachine
from gpufleet.precompiled.builds import Build, Candidate, builds, by_builder, key_for, sources, without_sources
from gpufleet.precompiled.key import ModuleKey
from gpufleet.stack.machine import Hardware, System
from gpufleet.stack.resolution import DriverChoice, Package, Resolution
from gpufleet.stack.wish import Wish

WISH = Wish(driver="580.95.05", modules="precompiled")
DEBIAN = HostMachine(System("debian", "12"), Hardware(gpus=("2330",), kernel="6.1.0-56-amd64"))
SOURCES = Package("driver", "nvidia-kernel-open-dkms", "580.95.05")
USERSPACE = Package("driver", "nvidia-driver-cuda", "580.95.05")
DRIVER = DriverChoice("580.95.05", 580, "open", "nvidia", "nvidia", "nvidia", (USERSPACE, SOURCES))
KEY = ModuleKey("debian-12", "x86_64", "6.1.0-56-amd64", "580.95.05", "open")


def candidate(
    name: str, wish: Wish = WISH, machine: HostMachine = DEBIAN, driver: DriverChoice | None = DRIVER
) -> Candidate:
    return Candidate(name, wish, machine, Resolution(driver=driver))


def test_hosts_of_one_kind_share_a_build_on_the_first() -> None:
    newer = HostMachine(DEBIAN.system, Hardware(gpus=("2330",), kernel="6.1.0-57-amd64"))
    found = builds([candidate("gpu-02"), candidate("gpu-03", machine=newer), candidate("gpu-01")])
    second = ModuleKey("debian-12", "x86_64", "6.1.0-57-amd64", "580.95.05", "open")
    assert found == (Build(KEY, "gpu-02", ("gpu-02", "gpu-01")), Build(second, "gpu-03", ("gpu-03",)))
    assert by_builder(found) == {"gpu-02": found[0], "gpu-03": found[1]}


def test_what_is_there_is_not_built_again() -> None:
    assert builds([candidate("gpu-01")], [KEY]) == ()


@pytest.mark.parametrize(
    "host",
    [
        candidate("compiles itself", wish=Wish(driver="580.95.05")),
        candidate("has no driver", driver=None),
        candidate("says no kernel", machine=HostMachine(DEBIAN.system, Hardware(gpus=("2330",)))),
        candidate(
            "gets the distribution's own",
            driver=DriverChoice("580.95.05", 580, "open", "distribution", "", "nvidia", (USERSPACE,)),
        ),
    ],
    ids=lambda host: host.name,
)
def test_hosts_that_need_no_build(host: Candidate) -> None:
    assert builds([host]) == ()


def test_a_kernel_to_come_is_built_for_instead_of_the_running_one() -> None:
    wish = Wish(driver="580.95.05", modules="precompiled", kernel="6.1.0-60-amd64")
    key = key_for(wish, DEBIAN, DRIVER)
    assert key is not None
    assert key.kernel == "6.1.0-60-amd64"


def test_the_package_that_compiles_is_known_and_left_out() -> None:
    assert sources(DRIVER) == SOURCES
    assert without_sources(DRIVER) == (USERSPACE,)
