"""A whole wave, process and all, over hosts that pyinfra's `@fake` connector plays: honest without a network."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gpufleet.converge.events import Event, Kind
from gpufleet.converge.process import Process
from gpufleet.converge.results import RunResult
from gpufleet.converge.run import converge, drive, shares
from gpufleet.errors import GpufleetError
from gpufleet.project import ROOT

DEPLOYS = ROOT / "tests/support/deploys"
QUICK = {"fake_delay": 0, "fake_delay_jitter": 0, "_sudo": True}

#: Hosts by name: their data, state, changed operations, and what is said about them.
HOSTS: dict[str, tuple[dict[str, Any], str, int, str]] = {
    "good": ({}, "done", 2, ""),
    "ignored": ({"case": "ignored", "fake_responses": {"false": {"success": False}}}, "done", 2, ""),
    "command": (
        {"case": "command", "fake_responses": {"exit 7": {"success": False, "stderr": ["E: one", "E: two"]}}},
        "failed",
        1,
        "expected operation `Cases | Break` to succeed, found a failure; the operation after it was not run\n"
        "    E: one\n    E: two",
    ),
    "fact": (
        {"case": "fact", "fake_responses": {"exit 3": {"success": False, "stderr": "broken fact"}}},
        "failed",
        0,
        "expected to read fact `builtins.Broken`, found a failure; no operation was run\n    broken fact",
    ),
    "operation-fact": (
        {"case": "operation fact", "fake_responses": {"exit 3": {"success": False, "stderr": "broken fact"}}},
        "failed",
        1,
        "expected to read fact `builtins.Broken` for operation `Cases | Read, then act`, found a failure; "
        "the operation after it was not run\n    broken fact",
    ),
    "deploy": (
        {"case": "deploy"},
        "failed",
        0,
        "expected the deploy to run, found ValueError: the deploy code is wrong (cases.py line 50); "
        "no operation was run",
    ),
    "operation": (
        {"case": "operation"},
        "failed",
        1,
        "expected operation `Cases | Raise` to run, found OperationError: no such version 1.2.3 (cases.py line 30); "
        "the operation after it was not run",
    ),
    "callback": (
        {"case": "callback"},
        "failed",
        1,
        "expected operation `Cases | Call` to succeed, found a failure; the operation after it was not run\n"
        "    Unexpected error in Python callback: RuntimeError('the callback is wrong',)",
    ),
    "once": (
        {"case": "once"},
        "failed",
        0,
        "expected operation `Cases | Once` to run on every host, found `_run_once`; "
        "put it into a deploy file of its own and use --limit",
    ),
    "no-sudo": (
        {"fake_responses": {"sudo -n true": {"success": False, "stdout": "refused: sudo: a password is required"}}},
        "refused",
        0,
        "expected the login to have sudo without a password, found `sudo: a password is required`; "
        "grant it in /etc/sudoers.d there, or set _sudo_password in the inventory",
    ),
}

Run = Callable[..., RunResult]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def over(hosts: dict[str, dict[str, Any]], deploy: str, *, dry: bool = False, on_event: Any = print) -> RunResult:
        inventory = tmp_path / "inventory.py"
        inventory.write_text(f"fleet = {[(f'@fake/{name}', {**QUICK, **data}) for name, data in hosts.items()]!r}\n")
        names = [f"@fake/{name}" for name in hosts]
        return drive(inventory, [DEPLOYS / deploy], names, dry=dry, on_event=on_event)

    return over


def test_each_host_comes_out_as_it_did(run: Run) -> None:
    result = run({name: case[0] for name, case in HOSTS.items()}, "cases.py")
    found = {name.removeprefix("@fake/"): host for name, host in result.hosts.items()}
    assert {name: (str(host.state), host.changed) for name, host in found.items()} == {
        name: (state, changed) for name, (_, state, changed, _) in HOSTS.items()
    }
    for name, (_, _, _, error) in HOSTS.items():
        assert found[name].error == (f"@fake/{name}: {error}" if error else "")
    assert result.exit_code() == 1


def test_a_dry_run_executes_nothing_and_tells_what_depends(run: Run) -> None:
    result = run({"a": {}, "b": {}}, "light.py", dry=True)
    assert {name: host.as_dict()["changed_operations"] for name, host in result.hosts.items()} == {
        "@fake/a": ["Write the marker", "Make the folder"],
        "@fake/b": ["Write the marker", "Make the folder"],
    }
    assert [host.conditional for host in result.hosts.values()] == [1, 1]


def test_a_killed_process_fails_its_hosts_only(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gpufleet.converge.run.shares", lambda hosts: [(host,) for host in hosts])
    children: list[Process] = []

    def start(inventory: str) -> Process:
        children.append(Process(inventory))
        return children[-1]

    monkeypatch.setattr("gpufleet.converge.run.Process", start)

    def kill(event: Event) -> None:
        if event.kind is Kind.STARTED and event.host == "@fake/a" and event.operation == "Take long":
            os.kill(children[0].child.pid, signal.SIGKILL)

    result = run({"a": {"fake_delay": 0.5}, "b": {}}, "slow.py", on_event=kill)
    assert {name: str(host.state) for name, host in result.hosts.items()} == {"@fake/a": "failed", "@fake/b": "done"}
    assert result.failures() == [
        "@fake/a: expected an end of its run, found its process ended by SIGKILL while at `Take long`; "
        "what was done is not known; run again"
    ]


def test_an_interrupt_lets_the_operation_end_and_begins_no_other(run: Run) -> None:
    def interrupt(event: Event) -> None:
        if event.kind is Kind.STARTED and event.operation == "Take long":
            os.kill(os.getpid(), signal.SIGINT)

    result = run({"a": {"fake_delay": 0.3}}, "slow.py", on_event=interrupt)
    assert result.exit_code() == 3
    assert result.hosts["@fake/a"].as_dict()["changed_operations"] == ["Before", "Take long"]
    assert result.failures() == [
        "@fake/a: expected the run to finish, found it stopped by the operator before operation `After`; "
        "run it again to go on"
    ]


@pytest.mark.parametrize(("hosts", "cores", "sizes"), [(1, 8, [1]), (16, 8, [16]), (17, 8, [9, 8]), (100, 2, [50, 50])])
def test_hosts_are_shared_out(hosts: int, cores: int, sizes: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert [len(share) for share in shares([f"gpu-{number}" for number in range(hosts)])] == sizes


def test_a_process_that_is_not_asked_ends_with_its_parent() -> None:
    process = Process("inventory.py")
    assert process.end() == "its process ended with exit status 0"


def test_a_refused_inventory_leaves_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    children: list[Process] = []

    class Remembered(Process):
        def __init__(self, inventory: str) -> None:
            super().__init__(inventory)
            children.append(self)

    monkeypatch.setattr("gpufleet.converge.run.Process", Remembered)
    inventory = tmp_path / "inventory.py"
    inventory.write_text("fleet = [\n")
    with pytest.raises(GpufleetError):
        converge(inventory, [DEPLOYS / "light.py"])
    assert [process.child.returncode for process in children] == [-signal.SIGKILL]
