"""`gpufleet verify` where something breaks off: what is written, what is shown, what the gate is asked, and the end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner, Result

from gpufleet import cli
from gpufleet.errors import ClusterError
from gpufleet.health import command, report, targets
from gpufleet.health.outcomes import Outcome
from gpufleet.health.verification import Check, Verification
from gpufleet.kubernetes import gating
from gpufleet.kubernetes.gated import Action, Gated
from gpufleet.lab import waiting
from tests.support.inventories import inventory_of
from tests.support.played_ssh import is_read, ssh_that
from tests.support.verification import CHECKS

GOOD = Check("gpu-1", "base", "swap", Outcome.PASS)
CUT = Check(
    "gpu-2", "base", "swap", Outcome.ERROR, "expected an outcome, found none: the checks were interrupted", True
)
SAID = "gpufleet: interrupted; the same command may be given again\n"

Gate = Callable[..., list[Gated]]
Run = Callable[..., Result]


def lifting(asked: list[list[str]]) -> Gate:
    """A gate that lifts every taint and remembers for whom."""

    def gate(hosts: Sequence[Any], *_: Any, **__: Any) -> list[Gated]:
        asked.append([host.name for host in hosts])
        return [Gated(host.name, host.name, Action.LIFTED) for host in hosts]

    return gate


def raising(error: BaseException) -> Gate:
    def gate(*_: Any, **__: Any) -> list[Gated]:
        raise error

    return gate


@pytest.fixture
def verify(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command over two nodes, after checks that came out as told, with a gate that does as told."""
    hosts = inventory_of({name: {"kubelet": {}, "base": {}} for name in ("gpu-1", "gpu-2")}).hosts
    (tmp_path / "test_base.py").touch()
    monkeypatch.setattr(targets, "load", lambda path, limit: [*hosts.values()])

    def run(*arguments: str, result: Verification, gate: Gate) -> Result:
        monkeypatch.setattr(command, "verify_hosts", lambda *given, **more: result)
        monkeypatch.setattr(gating, "gate", gate)
        return CliRunner().invoke(cli.app, ["verify", "fleet.py", f"--checks={tmp_path}", *arguments])

    return run


def whole() -> Verification:
    return Verification(["gpu-1"], [GOOD])


def cut() -> Verification:
    """What is known where the second host was not waited for."""
    result = Verification(["gpu-1", "gpu-2"], [GOOD, CUT])
    result.interrupted, result.unfinished = True, {"gpu-2"}
    return result


def test_an_interrupt_keeps_what_is_known_and_leaves_the_unfinished_alone(verify: Run, tmp_path: Path) -> None:
    asked: list[list[str]] = []
    done = verify(f"--junit={tmp_path / 'junit.xml'}", result=cut(), gate=lifting(asked))
    assert (done.exit_code, done.stderr, asked) == (130, SAID, [["gpu-1"]])
    assert done.stdout == (
        "gpu-1 base: 1 pass\n"
        "gpu-2 base: 1 error\n"
        f"gpu-2 error: {CUT.message} (1 check could not run)\n"
        "2 hosts, 2 checks: 1 pass, 1 error\n"
        "gpu-1 node gpu-1: preflight taint lifted\n"
    )
    root = ET.parse(tmp_path / "junit.xml").getroot()
    assert {suite.attrib["name"]: suite.attrib["errors"] for suite in root} == {"gpu-1": "0", "gpu-2": "1"}


def test_an_interrupt_as_a_document(verify: Run) -> None:
    done = verify("--json", result=cut(), gate=lifting([]))
    found = json.loads(done.stdout)
    assert (found["ok"], found["interrupted"], found["unfinished"]) == (False, True, ["gpu-2"])
    assert (done.exit_code, [*found["nodes"]]) == (130, ["gpu-1"])


REPORT = "gpu-1 base: 1 pass\n1 host, 1 check: 1 pass\n"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (
            ClusterError("the gate", expected="a kubeconfig", found="none", cure="write one"),
            "the gate: expected a kubeconfig, found none; write one",
        ),
        (
            ValueError("no\nsense"),
            "expected the preflight gate to come to its end, found ValueError: no sense; "
            "look at the node, and verify again",
        ),
        (
            KeyboardInterrupt(),
            "expected the preflight gate to come to its end, found an interrupt; look at the node, and verify again",
        ),
    ],
)
def test_a_gate_that_raises_costs_no_report(verify: Run, tmp_path: Path, error: BaseException, reason: str) -> None:
    done = verify(f"--junit={tmp_path / 'junit.xml'}", result=whole(), gate=raising(error))
    assert (done.exit_code, done.stdout) == (1, f"{REPORT}gpu-[1-2] node not changed: {reason}\n")
    assert (tmp_path / "junit.xml").is_file()
    document = json.loads(verify("--json", result=whole(), gate=raising(error)).stdout)
    assert document["nodes"]["gpu-1"] == {"node": "gpu-1", "action": "impossible", "reason": reason, "evidence": ""}


def test_the_report_is_out_before_the_gate_begins(verify: Run, tmp_path: Path, capsys: Any) -> None:
    """A gate that never comes back, as when the command is killed then: what was found is known all the same."""
    seen: list[object] = []

    def gate(*_: Any, **__: Any) -> list[Gated]:
        out: Any = sys.stdout.buffer  # of the runner, which keeps in memory what is written
        seen.extend([out.getvalue().decode(), (tmp_path / "junit.xml").is_file()])
        return []

    verify(f"--junit={tmp_path / 'junit.xml'}", result=whole(), gate=gate)
    assert seen == [REPORT, True]


def test_a_junit_file_that_cannot_be_written_costs_neither_report_nor_gate(verify: Run) -> None:
    asked: list[list[str]] = []
    done = verify("--junit=/dev/full", result=whole(), gate=lifting(asked))
    assert (done.exit_code, asked) == (1, [["gpu-1", "gpu-2"]])
    assert done.stdout.startswith(REPORT)
    assert done.stderr == (
        "gpufleet: --junit: expected a file that can be written, found /dev/full: No space left on device; "
        "name another file\n"
    )


def test_a_reader_who_goes_away_keeps_no_node_from_the_gate(verify: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def show(*_: Any) -> None:
        raise SystemExit(1)  # rich's end where nobody reads any more

    monkeypatch.setattr(report, "show", show)
    assert verify(result=whole(), gate=lifting(asked)).exit_code == 1
    assert asked == [["gpu-1", "gpu-2"]]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_host_that_never_answers_and_an_operator_who_does_not_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """The whole command: the one host has answered, the other hangs, and nothing is left of it."""
    never, checks = tmp_path / "never", tmp_path / "checks"
    os.mkfifo(never)
    ssh_that(f'case $host in gpu-2) exec cat {never};; esac; exec sh -c "$text"', tmp_path / "bin", monkeypatch)
    checks.mkdir()
    touch = f"pathlib.Path({str(checks)!r}, item.name.rpartition('/')[2]).touch()"
    reached = f"import pathlib\ndef pytest_runtest_setup(item):\n    {touch}\n"
    (checks / "conftest.py").write_text((CHECKS / "conftest.py").read_text() + reached)
    (checks / "test_base.py").write_text("PROBE = {'word': 'echo a'}\ndef test_x(probe): assert probe['word'].text\n")
    (tmp_path / "fleet.py").write_text("gpu = [('gpu-1', {'base': {}}), ('gpu-2', {'base': {}})]\n")
    verify = [sys.executable, "-m", "gpufleet", "verify", f"--checks={checks}", str(tmp_path / "fleet.py")]
    with subprocess.Popen(verify, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        # The outcome of a check is told before the next one is set up.
        waiting.until("verify", "the second check", lambda: (any(checks.glob("*gpu-2*")), "none"), 60)
        process.send_signal(number)
        shown, errors = process.communicate()
    assert (process.returncode, errors) == (130, SAID)
    assert shown == (
        "gpu-1 base: 1 pass\n"
        "gpu-2 base: 1 error\n"
        f"gpu-2 error: {CUT.message} (1 check could not run)\n"
        "2 hosts, 2 checks: 1 pass, 1 error\n"
    )
    assert not is_read(never)
