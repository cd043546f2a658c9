"""Stacks of real hosts: what they say of themselves, and what becomes of one that is not what was declared."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.lab import OLD, TRIXIE, Fleet

DRIVER = {"source": "distribution"}


@pytest.fixture
def hosts(fresh_fleet: Fleet, tmp_path: Path) -> Fleet:
    """The lab's two hosts in an inventory of the test's own."""
    fleet = Fleet(fresh_fleet.lab, tmp_path / "fleet.py")
    fleet.declare(
        d12={"nvidia_driver": {**DRIVER, "version": OLD}}, d13={"nvidia_driver": {**DRIVER, "version": TRIXIE}}
    )
    return fleet


def stack(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gpufleet", "stack", *arguments], capture_output=True, text=True, check=False
    )


def test_hosts_say_what_they_are(hosts: Fleet) -> None:
    done = stack("explain", str(hosts.inventory), "--facts", "--json")
    entries = {entry["hosts"][0]: entry for entry in json.loads(done.stdout)["hosts"]}
    systems = {name: entry["machine"]["system"]["version"] for name, entry in entries.items()}
    hardware = entries["d12"]["machine"]["hardware"]
    assert (done.returncode, systems) == (0, {"d12": "12", "d13": "13"})
    assert (hardware["gpus"], hardware["nvswitches"], hardware["rdma_adapters"]) == (["2330"] * 8, 4, 10)
    assert entries["d13"]["resolution"]["driver"]["version"] == TRIXIE


def test_a_host_that_is_not_what_was_declared_is_refused_and_the_others_are_not(hosts: Fleet) -> None:
    hosts.declare(d12={"machine": {"os": "debian-12", "gpus": {"H100 SXM5": 7}}})
    fault = (
        "d12: machine.gpus: expected 7 x H100 SXM5 as declared, found 8 x H100 SXM5 80GB (2330); "
        "correct the inventory, or mend the host (row machine.gpus; inventory)"
    )
    checked = stack("check", str(hosts.inventory), "--facts")
    assert (checked.returncode, checked.stdout.splitlines()[1].split()) == (
        2,
        ["d12", "error", "machine.gpus", "machine.gpus"],
    )
    result = hosts.deploy("driver.py", limit=("d12",))
    assert [fault in error for error in result.failures()] == [True]
    assert result.changed == 0


def test_a_host_that_does_not_answer_leaves_the_others_checked(hosts: Fleet) -> None:
    hosts.declare(d12={"ssh_port": 1})
    done = stack("check", str(hosts.inventory), "--facts")
    lines = done.stdout.splitlines()
    assert (done.returncode, lines[-1].partition(":")[0]) == (1, "1 host checked")
    assert [line.partition(" found ")[0] for line in lines if line.startswith("d12")] == [
        f"d12: not checked: expected an SSH server at {hosts.host('d12').address} port 1,"
    ]
