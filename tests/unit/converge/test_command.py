"""`gpufleet deploy` that breaks off or cannot be verified: what is shown, what the gate is asked, and the exit code."""

from __future__ import annotations

import io
import json
import os
import signal
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from gpufleet import cli
from gpufleet.converge import afterwards, command, report
from gpufleet.converge.events import Event, HostState, Kind
from gpufleet.converge.results import RunResult
from gpufleet.errors import ProjectError
from gpufleet.health.outcomes import Outcome
from gpufleet.health.verification import Check, Verification
from gpufleet.inventory.hosts import InventoryHost
from gpufleet.kubernetes import gating
from gpufleet.kubernetes.gated import Action, Gated
from gpufleet.project import ROOT
from tests.support.inventories import inventory_of

STOPPED = "expected the run to finish, found it stopped by the operator {}; run it again to go on"
ENDS = {
    "done": Event(Kind.ENDED, "done", state=HostState.DONE),
    "halfway": Event(Kind.ENDED, "halfway", state=HostState.FAILED, error=f"halfway: {STOPPED.format('before One')}"),
    "waiting": Event(Kind.ENDED, "waiting", state=HostState.FAILED, error=f"waiting: {STOPPED.format('at first')}"),
    "silent": Event(Kind.ENDED, "silent", state=HostState.UNREACHABLE, error="silent: no answer"),
}

#: For whom the gate is asked, what it is told of their checks, and which of them it is told are halfway.
Asked = list[tuple[list[str], dict[str, list[str]], list[str]]]
Run = Callable[..., Result]


def converged(*names: str, interrupted: bool = False) -> RunResult:
    """The result of a run over hosts called by how they end; the last operation begins where one does."""
    result = RunResult.expecting(names)
    for name in names:
        result.apply(Event(Kind.CONNECTING, name))
        if name in {"done", "halfway"}:
            result.apply(Event(Kind.STARTED, name, "One", number=1, total=2))
        result.apply(ENDS[name])
    result.apply(Event(Kind.ROLES, names=("base",)))
    result.interrupted = interrupted
    return result


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """What a gate was asked that shuts everybody out."""
    calls: Asked = []

    def gate(
        hosts: Sequence[InventoryHost], result: Verification, *_: Any, halfway: Collection[str] = (), **__: Any
    ) -> list[Gated]:
        found = {name: [check.message for check in checks] for name, checks in result.hosts.items()}
        calls.append(([host.name for host in hosts], found, [*halfway]))
        return [Gated(host.name, host.name, Action.TAINTED, "told so") for host in hosts]

    monkeypatch.setattr(gating, "gate", gate)
    return calls


@pytest.fixture
def deploy(monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command after a deploy that came out as told; its checks do as told, and are not to be run without."""

    def run(result: RunResult, *arguments: str, verify_hosts: Callable[..., Verification] | None = None) -> Result:
        hosts = inventory_of({name: {"kubelet": {}, "base": {}} for name in result.hosts}).hosts

        def converge(*_: Any, accept: Callable[[Sequence[InventoryHost]], None]) -> RunResult:
            accept([*hosts.values()])
            return result

        monkeypatch.setattr(command, "converge_with_progress", converge)
        monkeypatch.setattr(afterwards, "verify_hosts", verify_hosts)
        return CliRunner().invoke(cli.app, ["deploy", "fleet.py", *arguments], env={"COLUMNS": "200"})

    return run


@pytest.mark.parametrize("more", [(), ("--no-verify",)])
def test_a_stopped_deploy_shuts_out_what_it_left_halfway_and_nothing_else(
    deploy: Run, asked: Asked, more: Sequence[str]
) -> None:
    result = deploy(converged("done", "halfway", "waiting", "silent", interrupted=True), *more)
    assert asked == [(["halfway"], {}, ["halfway"])]
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (
        3,
        "halfway node halfway: preflight taint put on: told so",
    )


def test_a_stopped_deploy_may_leave_nodes_alone(deploy: Run, asked: Asked) -> None:
    assert deploy(converged("halfway", interrupted=True), "--no-gate").exit_code == 3
    assert asked == []


def test_a_stopped_deploy_as_a_document(deploy: Run, asked: Asked) -> None:
    found = json.loads(deploy(converged("done", "halfway", interrupted=True), "--json").stdout)
    assert {name: host["state"] for name, host in found["hosts"].items()} == {"done": "done", "halfway": "failed"}
    assert (found["verification"], found["nodes"]["halfway"]["action"]) == (None, "tainted")


def raising(error: BaseException) -> Callable[..., Verification]:
    def verify_hosts(*_: Any, **__: Any) -> Verification:
        raise error

    return verify_hosts


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            ProjectError("the checks", expected="checks of hosts", found="nonsense", cure="correct the checks"),
            "the checks: expected checks of hosts, found nonsense; correct the checks",
        ),
        (
            OSError(24, "Too many open files"),
            "expected the checks to run, found OSError: [Errno 24] Too many open files; "
            "mend that, and run `gpufleet verify`",
        ),
    ],
)
def test_checks_that_cannot_be_run_cost_neither_report_nor_gate(
    deploy: Run, asked: Asked, error: BaseException, said: str
) -> None:
    result = deploy(converged("done", "halfway"), verify_hosts=raising(error))
    assert asked == [(["done", "halfway"], {"done": [said]}, ["halfway"])]
    lines = result.stdout.splitlines()
    assert (result.exit_code, lines[-4:]) == (
        1,
        [
            f"done: checks: run: error: {said}",
            "checks: 0 pass, 0 fail, 0 unproven, 1 error",
            "done node done: preflight taint put on: told so",
            "halfway node halfway: preflight taint put on: told so",
        ],
    )
    assert lines[-6].startswith("halfway: expected the run to finish")


def cut(hosts: Sequence[InventoryHost], roles: Sequence[str]) -> Verification:
    """What is known of checks that were stopped before any had ended."""
    found = Verification(host.name for host in hosts)
    found.add(Check(host.name, "base", "swap", Outcome.ERROR, "cut", whole_host=True) for host in hosts)
    found.interrupted, found.unfinished = True, {host.name for host in hosts}
    return found


@pytest.mark.parametrize("checks", [cut, raising(KeyboardInterrupt())])
def test_checks_that_are_stopped_stop_the_run(deploy: Run, asked: Asked, checks: Callable[..., Verification]) -> None:
    result = deploy(converged("done", "halfway"), verify_hosts=checks)
    assert [(hosts, halfway) for hosts, _, halfway in asked] == [(["halfway"], ["halfway"])]
    assert result.exit_code == 3
    assert "1 of 2 hosts done, stopped by the operator: " in result.stdout
    assert "\ndone: not verified to the end: the checks were interrupted\n" in result.stdout


def test_a_gate_that_raises_costs_no_report(deploy: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gating, "gate", raising(ValueError("nonsense")))
    result = deploy(converged("halfway"))
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (
        1,
        "halfway node not changed: expected the preflight gate to come to its end, found ValueError: nonsense; "
        "look at the node, and verify again",
    )


LOCAL = (
    "gpufleet: @local: expected a host that is reached by SSH, found the connector local; leave it out with --limit, "
    "give it a plain name and ssh_hostname, or use --no-verify; nothing was touched\n"
)


def test_a_host_that_cannot_be_checked_is_refused_before_it_is_changed(tmp_path: Path) -> None:
    (tmp_path / "fleet.py").write_text("hosts = ['@local']\n")
    (tmp_path / "deploy.py").write_text(
        f"from pyinfra.operations import server\nserver.shell(name='Act', commands=['touch {tmp_path}/acted'])\n"
    )
    run = ["deploy", str(tmp_path / "fleet.py"), str(tmp_path / "deploy.py")]
    refused = CliRunner().invoke(cli.app, run)
    assert (refused.exit_code, refused.stdout, refused.stderr) == (2, "", LOCAL)
    assert not (tmp_path / "acted").exists()
    assert CliRunner().invoke(cli.app, [*run, "--no-verify"]).exit_code == 0
    assert (tmp_path / "acted").exists()


def test_an_operator_stops_a_whole_deploy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: Asked) -> None:
    """Over hosts that pyinfra's `@fake` plays: the slow one is stopped halfway, the quick one is done by then."""
    slow = {"fake_delay": 0.3, "fake_delay_jitter": 0, "_sudo": True}
    (tmp_path / "fleet.py").write_text(f"fleet = [('@fake/slow', {slow!r})]\n")

    @contextmanager
    def progress(console: object) -> Iterator[Callable[[Event], None]]:
        def stop(event: Event) -> None:
            if event.kind is Kind.STARTED and event.operation == "Take long":
                os.kill(os.getpid(), signal.SIGTERM)

        yield stop

    monkeypatch.setattr(report, "progress", progress)
    monkeypatch.setattr(command, "stopped", stopped := Remembered())
    result = CliRunner().invoke(
        cli.app, ["deploy", str(tmp_path / "fleet.py"), str(ROOT / "tests/support/deploys/slow.py"), "--no-verify"]
    )
    assert (result.exit_code, stopped.halfway) == (3, ["@fake/slow"])
    assert "0 of 1 hosts done, stopped by the operator" in result.stdout


class Remembered:
    """Takes what follows a stopped deploy, and remembers which hosts were left halfway."""

    def __init__(self) -> None:
        self.halfway: list[str] = []

    def __call__(self, hosts: Sequence[InventoryHost], result: RunResult, *, gate: bool) -> afterwards.Verified:
        self.halfway = [host.name for host in hosts if result.hosts[host.name].halfway]
        return afterwards.Verified()


class Gone(io.StringIO):
    """A stream whose reader has gone away, or whose disk is full."""

    def __init__(self, error: OSError) -> None:
        super().__init__()
        self.error = error

    def write(self, text: str) -> int:
        raise self.error


@pytest.mark.parametrize("error", [BrokenPipeError(), OSError(28, "No space left on device")])
def test_progress_that_nobody_can_read_stops_no_run(error: OSError) -> None:
    with report.progress(report.Log(file=Gone(error))) as on_event:
        on_event(ENDS["done"])
        on_event(ENDS["halfway"])
