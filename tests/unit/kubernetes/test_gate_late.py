"""What a verification may still do to a node on which one that began later has acted."""

from __future__ import annotations

from typing import Any

import pytest

from gpufleet.kubernetes.gate import EVIDENCE, REASON, UNVERIFIED_AT, VERIFIED_AT, Decision, decide
from gpufleet.kubernetes.gated import Action
from gpufleet.kubernetes.judgment import Judgment
from tests.support.gated_nodes import (
    AT,
    FAILED,
    GPU,
    OLD,
    PARTIAL,
    PASSED,
    REASONS,
    SILENT,
    TAINTED,
    node,
    patch,
)

LATER = "2026-11-23T14-37-11Z"
NEWER = {VERIFIED_AT: LATER, EVIDENCE: "sha256-2"}
SINCE = f"verified anew since, at {LATER}"

LATE = {
    "failed since: the taint stays": (
        node([TAINTED], NEWER, REASONS),
        PASSED,
        Decision(Action.SUPERSEDED, None, SINCE),
    ),
    "passed since": (node([GPU], NEWER), PASSED, Decision(Action.SUPERSEDED, None, SINCE)),
    "not verified since": (
        node([TAINTED], OLD, {REASON: "not verified: no answer", UNVERIFIED_AT: LATER}),
        PASSED,
        Decision(Action.SUPERSEDED, None, SINCE),
    ),
    "failed since for another reason: that stays": (
        node([TAINTED], NEWER, {REASON: "another"}),
        FAILED,
        Decision(Action.KEPT),
    ),
    "failed while it passed: the later report's labels stay": (
        node([GPU], NEWER),
        FAILED,
        Decision(Action.TAINTED, patch([GPU, TAINTED], annotations=REASONS)),
    ),
    "not verified while it passed": (
        node([GPU], NEWER),
        SILENT,
        Decision(Action.TAINTED, patch([GPU, TAINTED], annotations={REASON: "not verified: no answer"})),
    ),
    "in part": (node([GPU], NEWER), PARTIAL, Decision(Action.UNTOUCHED)),
}


@pytest.mark.parametrize(("before", "judgment", "expected"), LATE.values(), ids=[*LATE])
def test_a_verification_that_began_before_one_that_has_acted(
    before: dict[str, Any], judgment: Judgment, expected: Decision
) -> None:
    assert decide(before, judgment, AT) == expected
