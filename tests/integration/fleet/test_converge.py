"""Runs over container hosts by SSH: results that can be believed, and plain pyinfra beside them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gpufleet.converge.events import Event, Kind
from gpufleet.converge.run import converge
from gpufleet.project import ROOT
from tests.support.converge import DEPLOYS, Hosts, reach, write
from tests.support.lab import Fleet

LIGHT = ("Write the marker", "Act on a new marker", "Make the folder")


@pytest.fixture
def ways(fresh_fleet: Fleet) -> Hosts:
    """How d12 and d13 are reached."""
    return reach(fresh_fleet)


@pytest.fixture
def unmarked(fresh_fleet: Fleet) -> Iterator[None]:
    """Hosts on which the light deploy has everything to do, before and after."""
    remove = "rm -rf /etc/gpufleet-test-marker /etc/gpufleet-test-folder"
    for name in ("d12", "d13"):
        fresh_fleet.host(name).execute(remove)
    yield
    for name in ("d12", "d13"):
        fresh_fleet.host(name).execute(remove)


def gpufleet(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gpufleet", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def pyinfra(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("pyinfra")), *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.usefixtures("unmarked")
def test_a_second_run_changes_nothing(ways: Hosts, tmp_path: Path) -> None:
    hosts = write(tmp_path, ways)
    first, second = (converge(hosts, [DEPLOYS / "light.py"]) for _ in range(2))
    assert first.failures() == []
    assert [host.as_dict()["changed_operations"] for host in first.hosts.values()] == [list(LIGHT)] * 2
    assert second.failures() == []
    assert (second.changed, second.operations) == (0, 6)


@pytest.mark.usefixtures("unmarked")
def test_the_commands_say_the_same_in_json(ways: Hosts, tmp_path: Path) -> None:
    words = (write(tmp_path, ways), DEPLOYS / "light.py", "--limit", "d12", "--json")
    planned = gpufleet("plan", *words, "--detailed-exitcode")
    assert planned.returncode == 4
    host = json.loads(planned.stdout)["hosts"]["d12"]
    assert (host["changed_operations"], host["conditional"]) == (["Write the marker", "Make the folder"], 1)
    deployed = gpufleet("deploy", *words)
    assert deployed.returncode == 0
    document = json.loads(deployed.stdout)
    assert list(document["hosts"]) == ["d12"]
    assert document["hosts"]["d12"]["changed_operations"] == list(LIGHT)
    # No role was deployed, so there was nothing to verify.
    assert document["verification"] is None
    settled = gpufleet("plan", *words, "--detailed-exitcode")
    assert (settled.returncode, json.loads(settled.stdout)["totals"]["changed"]) == (0, 0)


@pytest.mark.usefixtures("unmarked")
def test_the_totals_are_in_the_last_line(ways: Hosts, tmp_path: Path) -> None:
    hosts = write(tmp_path, ways)
    gpufleet("deploy", hosts, DEPLOYS / "light.py")
    last = gpufleet("deploy", hosts, DEPLOYS / "light.py").stdout.splitlines()[-1]
    assert last.startswith("2 of 2 hosts done: 0 changes, 6 operations unchanged, ")


def test_a_second_interrupt_does_not_wait(ways: Hosts, tmp_path: Path) -> None:
    def interrupt(event: Event) -> None:
        if event.kind is Kind.STARTED and event.operation == "Take long":
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)

    result = converge(write(tmp_path, {"d12": ways["d12"]}), [DEPLOYS / "slow.py"], on_event=interrupt)
    assert result.exit_code() == 3
    assert result.failures() == [
        "d12: expected the run to finish, found operation `Take long` abandoned by the operator; "
        "its command may still be running there: see that it ended, then run again"
    ]


def test_a_wrong_request_touches_nothing(ways: Hosts, tmp_path: Path) -> None:
    absent = gpufleet("deploy", write(tmp_path, ways), "deploys/absent.py")
    assert (absent.returncode, absent.stdout) == (2, "")
    assert absent.stderr == (
        "gpufleet: deploys/absent.py: expected a deploy file, found no such file; "
        "name a file such as deploys/site.py; nothing was touched\n"
    )
    wrong = write(tmp_path, {"d12": {**ways["d12"], "base": {"swapp": False}}})
    refused = gpufleet("deploy", wrong, DEPLOYS / "light.py")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith(f"gpufleet: {wrong}: expected no faults, found 1 fault; ")


@pytest.mark.usefixtures("unmarked")
def test_plain_pyinfra_runs_the_same_files(ways: Hosts, tmp_path: Path) -> None:
    words = (write(tmp_path, ways), DEPLOYS / "light.py")
    dry = pyinfra("--dry", "--diff", *words)
    assert dry.returncode == 0
    assert "+ light" in dry.stdout + dry.stderr
    limited = pyinfra("--yes", "--json", "--limit", "d13", *words)
    assert limited.returncode == 0
    assert {host for row in json.loads(limited.stdout)["results"]["operations"] for host in row["success"]} == {"d13"}
    assert pyinfra("--yes", *words).returncode == 0
    settled = json.loads(pyinfra("--yes", "--json", *words).stdout)["results"]
    assert (settled["totals"]["success"], settled["failed_hosts"]) == (0, [])


@pytest.mark.usefixtures("fresh_fleet")
def test_plain_pyinfra_plans_the_base_of_the_lab() -> None:
    dry = pyinfra("--dry", "--diff", "--limit", "d12", "inventories/lab.py", "deploys/base.py")
    assert dry.returncode == 0, dry.stderr
    assert "Base | Hold the kernel and its headers" in dry.stdout + dry.stderr
