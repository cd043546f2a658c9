"""Runs over container hosts by SSH: results that can be believed, and plain pyinfra beside them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gpufleet.converge.events import Event, Kind
from gpufleet.converge.results import RunResult
from gpufleet.converge.run import converge, drive
from gpufleet.project import ROOT
from tests.support.lab import Fleet

DEPLOYS = ROOT / "tests/support/deploys"
LIGHT = ("Write the marker", "Act on a new marker", "Make the folder")

Inventory = Callable[[dict[str, dict[str, Any]]], Path]


@pytest.fixture
def ways(fresh_fleet: Fleet) -> dict[str, dict[str, Any]]:
    """How d12 and d13 are reached."""
    fresh_fleet.declare()
    hosts: dict[str, dict[str, Any]] = json.loads(fresh_fleet.inventory.with_suffix(".json").read_text())
    reach = ("_sudo", "ssh_hostname", "ssh_user", "ssh_key", "ssh_known_hosts_file", "ssh_strict_host_key_checking")
    return {name: {key: data[key] for key in reach} for name, data in hosts.items()}


@pytest.fixture
def inventory(tmp_path: Path) -> Inventory:
    """Write an inventory of the given hosts."""

    def write(hosts: dict[str, dict[str, Any]]) -> Path:
        path = tmp_path / "hosts.py"
        path.write_text(f"fleet = {list(hosts.items())!r}\n")
        return path

    return write


@pytest.fixture
def unmarked(fresh_fleet: Fleet) -> Iterator[None]:
    """Hosts on which the light deploy has everything to do, before and after."""
    remove = "rm -rf /etc/gpufleet-test-marker /etc/gpufleet-test-folder"
    for name in ("d12", "d13"):
        fresh_fleet.host(name).execute(remove)
    yield
    for name in ("d12", "d13"):
        fresh_fleet.host(name).execute(remove)


@pytest.fixture
def unprivileged(fresh_fleet: Fleet) -> Iterator[str]:
    """A user of d13 with the operator's key and without sudo."""
    host = fresh_fleet.host("d13")
    host.execute("useradd -m guest && cp -r /home/operator/.ssh /home/guest/ && chown -R guest: /home/guest")
    yield "guest"
    host.execute("pkill -KILL -u guest; userdel -r guest", check=False)


def gpufleet(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gpufleet", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def pyinfra(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("pyinfra")), *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.usefixtures("unmarked")
def test_a_second_run_changes_nothing(ways: dict[str, dict[str, Any]], inventory: Inventory) -> None:
    hosts = inventory(ways)
    first, second = (converge(hosts, [DEPLOYS / "light.py"]) for _ in range(2))
    assert first.failures() == []
    assert [host.as_dict()["changed_operations"] for host in first.hosts.values()] == [list(LIGHT)] * 2
    assert second.failures() == []
    assert (second.changed, second.operations) == (0, 6)


@pytest.mark.usefixtures("unmarked")
def test_the_commands_say_the_same_in_json(ways: dict[str, dict[str, Any]], inventory: Inventory) -> None:
    words = (inventory(ways), DEPLOYS / "light.py", "--limit", "d12", "--json")
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
def test_the_totals_are_in_the_last_line(ways: dict[str, dict[str, Any]], inventory: Inventory) -> None:
    hosts = inventory(ways)
    gpufleet("deploy", hosts, DEPLOYS / "light.py")
    last = gpufleet("deploy", hosts, DEPLOYS / "light.py").stdout.splitlines()[-1]
    assert last.startswith("2 of 2 hosts done: 0 changes, 6 operations unchanged, ")


def test_every_failure_is_named_and_the_others_finish(
    ways: dict[str, dict[str, Any]], inventory: Inventory, unprivileged: str, tmp_path: Path
) -> None:
    d12, d13 = ways["d12"], ways["d13"]
    other, none = tmp_path / "other_keys", tmp_path / "no_keys"
    known = Path(d13["ssh_known_hosts_file"]).read_text().splitlines()
    key_of_d13 = next(line for line in known if d13["ssh_hostname"] in line.split()[0].split(","))
    other.write_text(f"{d12['ssh_hostname']} {key_of_d13.split(maxsplit=1)[1]}\n")
    none.touch()
    key = d12["ssh_key"]
    cases: dict[str, tuple[dict[str, Any], str, str]] = {
        "good-12": (d12, "done", ""),
        "good-13": (d13, "done", ""),
        "refusing": (
            {**d12, "ssh_port": 2222},
            "unreachable",
            f"expected an SSH server at {d12['ssh_hostname']} port 2222, found the connection refused; "
            "check that the host is up and that ssh_hostname and ssh_port are right",
        ),
        "unnamed": (
            {**d12, "ssh_hostname": "gpu-01.invalid"},
            "unreachable",
            "expected an SSH server at gpu-01.invalid port 22, found no such name; "
            "check that the host is up and that ssh_hostname and ssh_port are right",
        ),
        "wrong-key": (
            {**d12, "ssh_known_hosts_file": str(other)},
            "unreachable",
            f"expected the host key recorded for {d12['ssh_hostname']} in {other}, found another key; if it was "
            f"reinstalled, remove the old key with `ssh-keygen -R {d12['ssh_hostname']} -f {other}` "
            "and record the new one, else trust nothing there",
        ),
        "unknown-key": (
            {**d12, "ssh_known_hosts_file": str(none)},
            "unreachable",
            f"expected a host key for {d12['ssh_hostname']} in {none}, found none; "
            "compare its fingerprint at the host's console and record it",
        ),
        "stranger": (
            {**d12, "ssh_user": "stranger"},
            "unreachable",
            f"expected stranger to be let in with the key {key}, found the login refused; "
            "check ssh_user, ssh_key and the user's authorized_keys there",
        ),
        "no-key-file": (
            {**d12, "ssh_key": f"{tmp_path}/absent"},
            "unreachable",
            f"expected connection data that can be used, found `No such private key file: {tmp_path}/absent`; "
            "correct them in the inventory",
        ),
        "no-sudo": (
            {**d13, "ssh_user": unprivileged},
            "refused",
            "expected guest to have sudo without a password, found `sudo: a password is required`; "
            "grant it in /etc/sudoers.d there, or set _sudo_password in the inventory",
        ),
        "command": (
            {**d13, "case": "command"},
            "failed",
            "expected operation `Cases | Break` to succeed, found exit status 7; "
            "the operation after it was not run\n    line 3\n    line 4\n    line 5\n    line 6\n    line 7",
        ),
        "fact": (
            {**d13, "case": "fact"},
            "failed",
            "expected to read fact `builtins.Broken`, found exit status 3; no operation was run\n"
            "    out\n    broken fact",
        ),
        "upload": (
            {**d13, "case": "upload"},
            "failed",
            "expected operation `Cases | Upload` to succeed, found exit status 1; the operation after it was not run\n"
            "    File upload error: cp: cannot create regular file '/proc/none': No such file or directory",
        ),
        "timeout": (
            {**d13, "case": "timeout"},
            "failed",
            "expected operation `Cases | Sleep` to end within 1 s, found no end; "
            "the operation after it was not run; the command may still be running there",
        ),
        "deploy": (
            {**d13, "case": "deploy"},
            "failed",
            "expected the deploy to run, found ValueError: the deploy code is wrong (cases.py line 50); "
            "no operation was run",
        ),
    }
    result = run_cases(inventory, {name: data for name, (data, _, _) in cases.items()})
    assert {name: (str(host.state), host.error) for name, host in result.hosts.items()} == {
        name: (state, f"{name}: {error}" if error else "") for name, (_, state, error) in cases.items()
    }
    assert result.exit_code() == 1


def run_cases(inventory: Inventory, hosts: dict[str, dict[str, Any]]) -> RunResult:
    """Run the failing deploy past validation, which rightly refuses two hosts of one address and unknown data."""
    return drive(inventory(hosts), [DEPLOYS / "cases.py"], list(hosts), dry=False, on_event=lambda event: None)


def test_a_second_interrupt_does_not_wait(ways: dict[str, dict[str, Any]], inventory: Inventory) -> None:
    def interrupt(event: Event) -> None:
        if event.kind is Kind.STARTED and event.operation == "Take long":
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)

    result = converge(inventory({"d12": ways["d12"]}), [DEPLOYS / "slow.py"], on_event=interrupt)
    assert result.exit_code() == 3
    assert result.failures() == [
        "d12: expected the run to finish, found operation `Take long` abandoned by the operator; "
        "its command may still be running there: see that it ended, then run again"
    ]


def test_a_wrong_request_touches_nothing(ways: dict[str, dict[str, Any]], inventory: Inventory) -> None:
    absent = gpufleet("deploy", inventory(ways), "deploys/absent.py")
    assert (absent.returncode, absent.stdout) == (2, "")
    assert absent.stderr == (
        "gpufleet: deploys/absent.py: expected a deploy file, found no such file; "
        "name a file such as deploys/site.py; nothing was touched\n"
    )
    wrong = inventory({"d12": {**ways["d12"], "base": {"swapp": False}}})
    refused = gpufleet("deploy", wrong, DEPLOYS / "light.py")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith(f"gpufleet: {wrong}: expected no faults, found 1 fault; ")


@pytest.mark.usefixtures("unmarked")
def test_plain_pyinfra_runs_the_same_files(ways: dict[str, dict[str, Any]], inventory: Inventory) -> None:
    words = (inventory(ways), DEPLOYS / "light.py")
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
