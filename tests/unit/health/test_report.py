"""What people and machines read of a verification."""

from __future__ import annotations

import io
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from gpufleet.health import junit, report
from gpufleet.health.outcomes import Outcome
from gpufleet.health.verification import Check, Verification

NO_ANSWER = 'expected an SSH server at 192.0.2.3 port 22, found "refused"; check the host and its network'


def check(host: str, role: str, name: str, outcome: Outcome, message: str = "", whole_host: bool = False) -> Check:
    return Check(host, role, name, outcome, message, whole_host, 0.25)


def mixed() -> Verification:
    checks = [
        check("gpu-01", "base", "swap_is_off", Outcome.FAIL, "expected no swap, found /dev/sda2"),
        check("gpu-01", "base", "chrony_runs", Outcome.PASS),
        check("gpu-01", "nvidia_driver", "loads", Outcome.UNPROVEN, "the hard limit is 8192"),
        check("gpu-02", "base", "swap_is_off", Outcome.PASS),
        check("gpu-02", "base", "chrony_runs", Outcome.ERROR, "probe section chrony: expected <an> answer"),
        check("gpu-03", "base", "swap_is_off", Outcome.ERROR, NO_ANSWER, whole_host=True),
        check("gpu-03", "base", "chrony_runs", Outcome.ERROR, NO_ANSWER, whole_host=True),
    ]
    return Verification(["gpu-01", "gpu-02", "gpu-03", "ctl-01"], checks)


def shown(result: Verification, *, terminal: bool) -> str:
    stream = io.StringIO()
    console = Console(
        file=stream, force_terminal=terminal, width=80, color_system=None, soft_wrap=True, legacy_windows=False
    )
    report.show(result, console)
    return stream.getvalue()


PROBLEMS = f"""\
gpu-01 base swap_is_off: expected no swap, found /dev/sda2
gpu-01 nvidia_driver loads: unproven: the hard limit is 8192
gpu-02 base chrony_runs: error: probe section chrony: expected <an> answer
gpu-03 error: {NO_ANSWER} (2 checks could not run)
ctl-01 not checked: its data declare no role that has checks
4 hosts, 7 checks: 2 pass, 1 fail, 1 unproven, 3 error
"""


def test_lines_where_there_is_no_terminal() -> None:
    summary = """\
gpu-01 base: 1 pass, 1 fail
gpu-01 nvidia_driver: 1 unproven
gpu-02 base: 1 pass, 1 error
gpu-03 base: 2 error
"""
    assert shown(mixed(), terminal=False) == summary + PROBLEMS


def test_a_table_on_a_terminal() -> None:
    table = """\
┏━━━━━━━━┳━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓
┃ host   ┃ base            ┃ nvidia_driver ┃
┡━━━━━━━━╇━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩
│ gpu-01 │ 1 pass, 1 fail  │ 1 unproven    │
│ gpu-02 │ 1 pass, 1 error │               │
│ gpu-03 │ 2 error         │               │
│ ctl-01 │                 │               │
└────────┴─────────────────┴───────────────┘
"""
    assert shown(mixed(), terminal=True) == table + PROBLEMS


def test_junit() -> None:
    root = junit.tree(mixed())
    assert root.attrib == {"name": "gpufleet verify", "tests": "7", "failures": "1", "errors": "3", "skipped": "1"}
    assert ET.tostring(root[0], encoding="unicode") == (
        '<testsuite name="gpu-01" tests="3" failures="1" errors="0" skipped="1">'
        '<testcase classname="gpu-01.base" name="swap_is_off" time="0.250">'
        '<failure message="expected no swap, found /dev/sda2" /></testcase>'
        '<testcase classname="gpu-01.base" name="chrony_runs" time="0.250" />'
        '<testcase classname="gpu-01.nvidia_driver" name="loads" time="0.250">'
        '<skipped message="the hard limit is 8192" /></testcase>'
        "</testsuite>"
    )


def test_document() -> None:
    document = mixed().document()
    assert document["ok"] is False
    assert document["counts"] == {"pass": 2, "fail": 1, "unproven": 1, "error": 3}
    assert {host: content["green"] for host, content in document["hosts"].items()} == {
        "gpu-01": False,
        "gpu-02": False,
        "gpu-03": False,
        "ctl-01": False,
    }
    assert document["hosts"]["gpu-02"]["checks"][0] == {
        "host": "gpu-02",
        "role": "base",
        "check": "swap_is_off",
        "outcome": "pass",
        "message": "",
        "whole_host": False,
        "seconds": 0.25,
    }


@pytest.mark.parametrize(
    ("outcomes", "unchecked", "ok", "strict"),
    [
        ([], [], False, False),
        ([], ["gpu-02"], False, False),
        ([Outcome.PASS], [], True, True),
        ([Outcome.PASS], ["gpu-02"], True, False),
        ([Outcome.PASS, Outcome.UNPROVEN], [], True, False),
        ([Outcome.PASS, Outcome.FAIL], [], False, False),
        ([Outcome.PASS, Outcome.ERROR], [], False, False),
    ],
)
def test_ok(outcomes: list[Outcome], unchecked: list[str], ok: bool, strict: bool) -> None:
    checks = [check("gpu-01", "base", str(n), outcome) for n, outcome in enumerate(outcomes)]
    result = Verification(["gpu-01", *unchecked] if outcomes else unchecked, checks)
    assert (result.ok(), result.ok(strict=True)) == (ok, strict)
