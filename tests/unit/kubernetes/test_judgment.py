"""What the checks of a host say about its node."""

from __future__ import annotations

import ast

import pytest

from gpufleet.health.outcomes import Outcome
from gpufleet.health.verification import Check
from gpufleet.kubernetes.judgment import Judgment, Standing, evidence, judge, unfinished, unverified
from gpufleet.kubernetes.names import label_value
from gpufleet.project import ROOT
from tests.support.node_checks import is_the_node

LONG = "expected " + "one and " * 30 + "all"


def check(name: str, outcome: Outcome = Outcome.PASS, message: str = "", role: str = "base", **more: bool) -> Check:
    return Check("gpu-01", role, name, outcome, message, **more)


NODE = is_the_node("gpu-01")
UNJOINED = "node: expected gpu-01, found a host that joined no cluster, and no way to join declared"
GOOD = [check("swap_is_off"), check("gpus", role="nvidia_driver")]
LOST = check("gpus_are_there", Outcome.FAIL, "expected 8 GPUs, found 7", "nvidia_driver")
UNSURE = check("memlock", Outcome.UNPROVEN, "the host's own hard limit is 8192 KB")
BROKEN = check("chrony", Outcome.ERROR, "probe section chrony: expected an answer")
SILENT = check("gpus", Outcome.ERROR, 'expected an SSH server at 192.0.2.3 port 22, found "refused"', whole_host=True)
CUT_OFF = check("swap", Outcome.ERROR, "expected an outcome, found none: the checks were interrupted", whole_host=True)


@pytest.mark.parametrize(
    ("checks", "left_out", "strict", "standing", "reason"),
    [
        ([*GOOD, NODE], [], False, Standing.PASSED, ""),
        ([*GOOD, NODE, UNSURE], [], False, Standing.PASSED, ""),
        (
            [*GOOD, UNSURE],
            [],
            True,
            Standing.FAILED,
            "1 of 3 checks did not pass: base memlock: unproven: the host's own hard limit is 8192 KB",
        ),
        (
            [*GOOD, LOST],
            [],
            False,
            Standing.FAILED,
            "1 of 3 checks did not pass: nvidia_driver gpus_are_there: expected 8 GPUs, found 7",
        ),
        (
            [*GOOD, BROKEN],
            [],
            False,
            Standing.FAILED,
            "1 of 3 checks did not pass: base chrony: error: probe section chrony: expected an answer",
        ),
        (
            [LOST, BROKEN, check("a", Outcome.FAIL, "x"), check("b", Outcome.FAIL, "y"), check("c", Outcome.FAIL, "z")],
            [],
            False,
            Standing.FAILED,
            "5 of 5 checks did not pass: nvidia_driver gpus_are_there: expected 8 GPUs, found 7; "
            "base chrony: error: probe section chrony: expected an answer; base a: x; and 2 more",
        ),
        (
            [check("long", Outcome.FAIL, LONG)],
            [],
            False,
            Standing.FAILED,
            f"1 of 1 checks did not pass: base long: expected {'one and ' * 18}one ...",
        ),
        (
            [SILENT],
            [],
            False,
            Standing.UNVERIFIED,
            'not verified: expected an SSH server at 192.0.2.3 port 22, found "refused"',
        ),
        (
            [*GOOD, NODE, BROKEN, CUT_OFF],
            [],
            False,
            Standing.UNVERIFIED,
            "not verified: expected an outcome, found none: the checks were interrupted",
        ),
        (
            [*GOOD, NODE, UNSURE, CUT_OFF],
            [],
            True,
            Standing.UNVERIFIED,
            "not verified: expected an outcome, found none: the checks were interrupted",
        ),
        (
            [CUT_OFF, LOST, NODE],
            [],
            False,
            Standing.FAILED,
            "2 of 3 checks did not pass: base swap: error: expected an outcome, found none: the checks were "
            "interrupted; nvidia_driver gpus_are_there: expected 8 GPUs, found 7",
        ),
        (
            [*GOOD, is_the_node("gpu-01", Outcome.UNPROVEN, UNJOINED)],
            [],
            False,
            Standing.UNVERIFIED,
            f"not verified: {UNJOINED}",
        ),
        (GOOD, [], False, Standing.UNVERIFIED, "not verified: no check kubelet host_is_the_declared_node"),
        ([], [], False, Standing.UNVERIFIED, "not verified: its data declare no role that has checks"),
        (GOOD, ["cuda", "kubelet"], False, Standing.PARTIAL, "not checked: cuda, kubelet"),
        ([], ["cuda"], False, Standing.PARTIAL, "not checked: cuda"),
        (
            [LOST],
            ["cuda"],
            False,
            Standing.FAILED,
            "1 of 1 checks did not pass: nvidia_driver gpus_are_there: expected 8 GPUs, found 7",
        ),
    ],
)
def test_how_a_host_stands(
    checks: list[Check], left_out: list[str], strict: bool, standing: Standing, reason: str
) -> None:
    judgment = judge(checks, left_out, strict=strict)
    assert (judgment.standing, judgment.reason) == (standing, reason)
    assert bool(judgment.evidence) == (standing in {Standing.PASSED, Standing.FAILED})


def test_hosts_that_no_check_was_run_on() -> None:
    assert unverified("no answer") == Judgment(Standing.UNVERIFIED, "not verified: no answer")
    why = "not verified: the deploy did not come to its end"
    assert unfinished(reached=False) == Judgment(Standing.UNVERIFIED, why)
    assert unfinished(reached=True) == Judgment(Standing.UNFINISHED, why)


def test_the_check_that_says_which_node_a_host_is_has_this_name() -> None:
    module = ast.parse((ROOT / f"tests/verify/test_{NODE.role}.py").read_text(encoding="utf-8"))
    assert f"test_{NODE.check}" in {item.name for item in module.body if isinstance(item, ast.FunctionDef)}


def test_the_digest_is_that_of_the_findings() -> None:
    first = evidence(GOOD)
    assert first == "sha256-e22c7ef0560f28ccee2e0c7e3d04bbca"
    assert first == evidence([*reversed(GOOD)])
    assert first == evidence([Check("gpu-01", c.role, c.check, c.outcome, seconds=9.5) for c in GOOD])
    assert label_value(first) == first
    changed = [[GOOD[0]], [*GOOD, LOST], [UNSURE, *GOOD], [Check("gpu-02", c.role, c.check, c.outcome) for c in GOOD]]
    assert len({first, *map(evidence, changed)}) == 5
