"""The role `nvidia_driver` between two real versions: packages, DKMS builds, the module swapped or waited for.

The tests tell one story and run in its order: upgrade under a running job, swap once it ended, downgrade by a reboot.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from gpufleet.health import Outcome
from gpufleet.lab.lab import LabHost
from tests.support.driver_story import HOST, assert_green, assert_packages, changes, deploy
from tests.support.driver_watch import Watch, look
from tests.support.lab import NEW, OLD, Fleet

MARK = "/run/gpufleet/reboot-required/nvidia-driver"
HELD_BY_JOB = rf"module nvidia {OLD} is loaded, {NEW} is wanted; held by process \d+ \(train-job, user root\)\n"


@pytest.fixture(scope="module")
def host(fleet: Fleet) -> Iterator[LabHost]:
    """The host of the story; at the end it has the version that the other tests know."""
    yield fleet.host(HOST)
    assert deploy(fleet, OLD).failures() == []


def test_every_host_has_the_declared_version(fleet: Fleet) -> None:
    for name in (HOST, "d13"):
        sight, version = look(fleet.host(name)), fleet.declared[name]["nvidia_driver"]["version"]
        assert sight.loaded == version
        assert_packages(sight, version)


def test_second_deploy_changes_nothing(fleet: Fleet) -> None:
    result = fleet.deploy("driver.py")
    assert (result.failures(), result.changed) == ([], 0)


def test_version_in_no_repository(fleet: Fleet, host: LabHost) -> None:
    result = deploy(fleet, "535.999.99")
    fleet.declare(**{HOST: {"nvidia_driver": {"version": OLD}}})
    assert result.exit_code() == 1
    [error] = result.failures()
    offers = rf"(\S+ or )*{re.escape(NEW)}-\S+ or {re.escape(OLD)}-\S+"
    text = (
        rf"{HOST}: expected libcuda1=535\.999\.99, .* in an apt repository, found only libcuda1 {offers}, .*; "
        "ask for one of these, or switch on the repository that has it"
    )
    assert re.search(text, error), error
    assert_packages(look(host), OLD)


def test_others_finish_when_a_version_is_missing(fleet: Fleet) -> None:
    fleet.declare(**{HOST: {"nvidia_driver": {"version": "535.999.99"}}})
    result = fleet.deploy("driver.py")
    fleet.declare(**{HOST: {"nvidia_driver": {"version": OLD}}})
    assert result.done() == ["d13"]
    assert len(result.failures()) == 1


def test_upgrade_under_a_job_leaves_the_old_module(fleet: Fleet, host: LabHost) -> None:
    host.fault("module-in-use")
    with Watch(host) as watch:
        changed = changes(deploy(fleet, NEW))
    assert {sight.loaded for sight in watch.sights} == {OLD}
    assert watch.first(lambda sight: sight.loose) is None
    assert_packages(look(host), NEW)
    assert changed == [
        f"Pin the driver to {NEW}",
        f"Hold the driver's packages to {NEW}",
        f"Install driver {NEW} with the proprietary kernel module",
        f"Load driver {NEW}",
    ]


def test_reboot_is_required_and_says_for_whom(host: LabHost) -> None:
    assert re.fullmatch(HELD_BY_JOB, host.execute(f"cat {MARK}").stdout)


def test_nothing_changes_while_the_reboot_waits(fleet: Fleet, host: LabHost) -> None:
    assert changes(deploy(fleet, NEW)) == []
    host.execute("systemctl is-active gpufleet-lab-train-job nvidia-persistenced")


def test_checks_see_the_waiting_reboot(fleet: Fleet) -> None:
    checks = fleet.verify("nvidia_driver", limit=(HOST,)).of(HOST)
    failed = {check.check: check.message for check in checks if check.outcome is Outcome.FAIL}
    assert failed["loaded_module_is_the_declared_version"] == f"module nvidia: expected {NEW} loaded, found {OLD}"
    assert re.fullmatch(
        f"reasons to reboot: expected none, found nvidia-driver: {HELD_BY_JOB.removesuffix(chr(10))}".replace(
            "\\n", ""
        ),
        failed["no_reboot_is_required"],
    )


def test_swap_follows_the_end_of_the_job(fleet: Fleet, host: LabHost) -> None:
    host.fault("module-in-use", clear=True)
    with Watch(host) as watch:
        assert changes(deploy(fleet, NEW)) == [f"Load driver {NEW}"]
    assert_packages(look(host), NEW)
    assert look(host).loaded == NEW
    assert {sight.loaded for sight in watch.sights} <= {OLD, "none", NEW}
    host.execute(f"test ! -e {MARK} && systemctl is-active nvidia-persistenced")
    assert_green(fleet)
    assert changes(deploy(fleet, NEW)) == []


def test_downgrade_reboots_where_it_may(fleet: Fleet, host: LabHost) -> None:
    host.fault("module-in-use")
    before = host.boot_identity()
    with Watch(host) as watch:
        changed = changes(deploy(fleet, OLD, reboot="if-required"))
    assert "Reboot where the driver asks for it" in changed
    assert host.boot_identity() != before
    assert watch.first(lambda sight: sight.loose) is None
    assert look(host).loaded == OLD
    assert_packages(look(host), OLD)
    assert_green(fleet)
    assert changes(deploy(fleet, OLD, reboot="if-required")) == []


def test_module_options_swap_the_module(fleet: Fleet, host: LabHost) -> None:
    option = {"NVreg_RestrictProfilingToAdminUsers": 0}
    load, image = f"Load driver {OLD}", "Put the module options into each initramfs"
    assert changes(deploy(fleet, OLD, module_options=option)) == ["Write the module options", image, load]
    assert_green(fleet)
    assert changes(deploy(fleet, OLD, module_options=option)) == []
    withdrawn = ["Leave the module options at their defaults", "Take the module options out of each initramfs", load]
    assert changes(deploy(fleet, OLD)) == withdrawn
    assert_green(fleet)


def test_failed_build_shows_its_log(fleet: Fleet, host: LabHost) -> None:
    source, tree, kernel = f"/usr/src/nvidia-current-{OLD}", "/var/lib/dkms/nvidia-current", "$(uname -r)"
    host.execute(f"cp -a {tree} /root/dkms && cp -a {source}/Kbuild /root/Kbuild")
    host.execute(f"rm -r {tree}/{OLD}/{kernel} && echo '$(error broken on purpose)' >{source}/Kbuild")
    result = deploy(fleet, OLD)
    host.execute(f"rm -r {tree} && mv /root/dkms {tree} && mv /root/Kbuild {source}/Kbuild")
    [error] = result.failures()
    assert "broken on purpose" in error
    assert changes(deploy(fleet, OLD)) == []
