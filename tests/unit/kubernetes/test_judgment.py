"""What the checks of a host say about its node."""

from __future__ import annotations

import pytest

from gpufleet.health.outcomes import Outcome
from gpufleet.health.verification import Check
from gpufleet.kubernetes.judgment import Judgment, Standing, evidence, judge, unverified
from gpufleet.kubernetes.names import label_value

LONG = "expected " + "one and " * 30 + "all"


def check(name: str, outcome: Outcome = Outcome.PASS, message: str = "", role: str = "base", **more: bool) -> Check:
    return Check("gpu-01", role, name, outcome, message, **more)


GOOD = [check("swap_is_off"), check("gpus", role="nvidia_driver")]
LOST = check("gpus_are_there", Outcome.FAIL, "expected 8 GPUs, found 7", "nvidia_driver")
UNSURE = check("memlock", Outcome.UNPROVEN, "the host's own hard limit is 8192 KB")
BROKEN = check("chrony", Outcome.ERROR, "probe section chrony: expected an answer")
SILENT = check("gpus", Outcome.ERROR, 'expected an SSH server at 192.0.2.3 port 22, found "refused"', whole_host=True)


@pytest.mark.parametrize(
    ("checks", "left_out", "strict", "standing", "reason"),
    [
        (GOOD, [], False, Standing.PASSED, ""),
        ([*GOOD, UNSURE], [], False, Standing.PASSED, ""),
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


def test_a_host_that_no_check_was_run_on() -> None:
    assert unverified("the deploy failed") == Judgment(Standing.UNVERIFIED, "not verified: the deploy failed")


def test_the_digest_is_that_of_the_findings() -> None:
    first = evidence(GOOD)
    assert first == "sha256-e22c7ef0560f28ccee2e0c7e3d04bbca"
    assert first == evidence([*reversed(GOOD)])
    assert first == evidence([Check("gpu-01", c.role, c.check, c.outcome, seconds=9.5) for c in GOOD])
    assert label_value(first) == first
    changed = [[GOOD[0]], [*GOOD, LOST], [UNSURE, *GOOD], [Check("gpu-02", c.role, c.check, c.outcome) for c in GOOD]]
    assert len({first, *map(evidence, changed)}) == 5
