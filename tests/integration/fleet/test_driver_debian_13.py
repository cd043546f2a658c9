"""Debian 13 has branch 535 in packages of other names, which conflict with those of 550: one goes, the other comes."""

from __future__ import annotations

from tests.support.driver_story import assert_green, assert_packages, changes, deploy
from tests.support.driver_watch import look
from tests.support.lab import TRIXIE, Fleet

HOST = "d13"


def test_550_takes_the_place_of_the_packages_of_535(fleet: Fleet) -> None:
    host = fleet.host(HOST)
    before = look(host)
    assert {name for name in before.versions if "tesla-535" not in name} == set()
    assert changes(deploy(fleet, TRIXIE, host=HOST), HOST) == [
        f"Pin the driver to {TRIXIE}",
        f"Hold the driver's packages to {TRIXIE}",
        f"Install driver {TRIXIE} with the proprietary kernel module",
        "Hold the driver's packages",
        f"Load driver {TRIXIE}",
    ]
    after = look(host)
    assert_packages(after, TRIXIE)
    assert after.loaded == TRIXIE
    assert {name for name in after.wants if "tesla" in name} == set()
    assert host.execute("dkms status").stdout.split(",")[0] == f"nvidia-current/{TRIXIE}"
    assert_green(fleet, HOST)
    assert changes(deploy(fleet, TRIXIE, host=HOST), HOST) == []
