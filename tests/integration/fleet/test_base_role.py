"""The role `base` on Debian 12 and 13: nothing to do twice, nothing lost at a reboot, refusals said aloud."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from gpufleet.converge.events import Outcome
from gpufleet.converge.results import RunResult
from gpufleet.health import Outcome as Finding
from tests.support.lab import Fleet

HOSTS = ("d12", "d13")

#: Every option that can be turned round, turned round.
OTHERWISE = {
    "hold_kernel": False,
    "modules": [],
    "sysctl": {"net.ipv4.ip_forward": 1},
    "limits": {"memlock": 2048, "nofile": 8192},
    "cpu_governor": "powersave",
    "time": {"servers": ["192.0.2.1"]},
    "names": {"address": "127.0.1.2", "hosts": {"10.9.8.7": ["head-01.fleet.internal", "head-01"]}},
}


@pytest.fixture
def based(fresh_fleet: Fleet) -> Iterator[Fleet]:
    """The two hosts with a base, and again after the test whatever it did."""
    before = {name: fresh_fleet.declared[name]["base"] for name in HOSTS}
    assert fresh_fleet.deploy("base.py").failures() == []
    yield fresh_fleet
    declare(fresh_fleet, before)
    assert fresh_fleet.deploy("base.py").failures() == []


def test_second_run_changes_nothing(based: Fleet) -> None:
    assert changes(based.deploy("base.py")) == {"d12": [], "d13": []}


def test_other_options_are_reached_and_kept(based: Fleet) -> None:
    declare(based, dict.fromkeys(HOSTS, OTHERWISE))
    assert based.deploy("base.py").failures() == []
    assert broken(based) == []
    assert changes(based.deploy("base.py")) == {"d12": [], "d13": []}


def test_reboot_loses_nothing_and_gets_rid_of_nouveau(based: Fleet) -> None:
    for name in HOSTS:
        based.host(name).execute("modprobe nouveau && mkdir /sys/module/nouveau/holders/console")
    assert changes(based.deploy("base.py")) == {
        name: ["Base | Unload nouveau, or record that it needs a reboot"] for name in HOSTS
    }
    reason = "kernel module nouveau is in use; it is blacklisted and stays away after a reboot\n"
    assert [based.host(name).execute("cat /run/gpufleet/reboot-required/nouveau").stdout for name in HOSTS] == [
        reason
    ] * 2
    assert broken(based) == [
        (name, "nouveau_is_not_loaded", "kernel modules: expected no nouveau, found it loaded") for name in HOSTS
    ]
    assert changes(based.deploy("base.py")) == {"d12": [], "d13": []}

    for name in HOSTS:
        based.host(name).reboot()
    assert broken(based) == []
    assert changes(based.deploy("base.py")) == {"d12": [], "d13": []}


def test_setting_that_the_kernel_refuses_fails_the_host(based: Fleet) -> None:
    declare(based, {"d12": {"sysctl": {"net.ipv4.tcp_congestion_control": "nonesuch"}}, "d13": {}})
    result = based.deploy("base.py")
    assert [result.hosts[name].state for name in HOSTS] == ["failed", "done"]
    assert result.hosts["d12"].error.endswith(
        "d12: sysctl net.ipv4.tcp_congestion_control: expected nonesuch, found another value after `sysctl --system`; "
        "see `sysctl --system` on the host: the kernel refuses the value or a later file overrides it"
    )
    assert ("d12", "sysctl_values_are_in_force") in [(host, check) for host, check, _ in broken(based)]


def declare(fleet: Fleet, base: Mapping[str, Mapping[str, Any]]) -> None:
    """Declare the role's options by host."""
    fleet.declare(**{name: {"base": options} for name, options in base.items()})


def changes(result: RunResult) -> dict[str, list[str]]:
    """Operations that changed something, by host; a failure is none of them and fails the test."""
    assert result.failures() == []
    return {name: host.operations[Outcome.CHANGED] for name, host in result.hosts.items()}


def broken(fleet: Fleet) -> list[tuple[str, str, str]]:
    """Host, check and message of everything that did not pass and was not merely unproven."""
    bad = (Finding.FAIL, Finding.ERROR)
    return [(check.host, check.check, check.message) for check in fleet.verify("base").checks if check.outcome in bad]
