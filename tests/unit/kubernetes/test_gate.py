"""Which patch a node gets, as whole patches, and none where nothing is to be done."""

from __future__ import annotations

from datetime import timedelta, timezone
from typing import Any

import pytest

from gpufleet.kubernetes.gate import (
    EVIDENCE,
    REASON,
    TAINT,
    UNVERIFIED_AT,
    VERIFIED_AT,
    Decision,
    decide,
    holding,
    stamp,
    takes_pods,
)
from gpufleet.kubernetes.gated import Action
from gpufleet.kubernetes.judgment import Judgment, Standing
from gpufleet.kubernetes.names import PREFLIGHT, label_value
from tests.support.gated_nodes import (
    AT,
    CORDON,
    DIGEST,
    FAILED,
    GPU,
    LABELS,
    OLD,
    PARTIAL,
    PASSED,
    PENDING,
    REASONS,
    SILENT,
    STAMP,
    TAINTED,
    UNKNOWN,
    node,
    patch,
)

CASES = {
    "a new node passed": (node([PENDING]), PASSED, Action.LIFTED, patch(None, labels=LABELS)),
    "a node that failed before passed": (
        node([TAINTED], OLD, REASONS),
        PASSED,
        Action.LIFTED,
        patch(None, labels={VERIFIED_AT: STAMP}, annotations={REASON: None}),
    ),
    "others' taints stay, in their order": (
        node([GPU, PENDING, CORDON]),
        PASSED,
        Action.LIFTED,
        patch([GPU, CORDON], labels=LABELS),
    ),
    "passed again: the time alone": (
        node([GPU], OLD),
        PASSED,
        Action.CONFIRMED,
        patch(labels={VERIFIED_AT: STAMP}),
    ),
    "passed again at the same second": (node([GPU], LABELS), PASSED, Action.CONFIRMED, None),
    "a node that never had the taint passed": (node(), PASSED, Action.CONFIRMED, patch(labels=LABELS)),
    "a new node failed": (
        node([PENDING, GPU]),
        FAILED,
        Action.TAINTED,
        patch([TAINTED, GPU], labels=LABELS, annotations=REASONS),
    ),
    "a node in use failed": (
        node([GPU], OLD, {"example.org/owner": "ada"}),
        FAILED,
        Action.TAINTED,
        patch([GPU, TAINTED], labels={VERIFIED_AT: STAMP}, annotations=REASONS),
    ),
    "failed again for the same reason": (
        node([TAINTED], OLD, REASONS),
        FAILED,
        Action.KEPT,
        patch(labels={VERIFIED_AT: STAMP}),
    ),
    "failed again for another reason": (
        node([TAINTED], LABELS, {REASON: "another"}),
        FAILED,
        Action.KEPT,
        patch(annotations=REASONS),
    ),
    "not verified: the labels of the last report stay": (
        node([GPU], OLD),
        SILENT,
        Action.TAINTED,
        patch([GPU, TAINTED], annotations=UNKNOWN),
    ),
    "not verified again at the same second": (node([TAINTED], OLD, UNKNOWN), SILENT, Action.KEPT, None),
    "not verified again: the time alone": (
        node([TAINTED], OLD, {**UNKNOWN, UNVERIFIED_AT: "2026-11-23T00-00-00Z"}),
        SILENT,
        Action.KEPT,
        patch(annotations={UNVERIFIED_AT: STAMP}),
    ),
    "a node that was not verified passed": (
        node([TAINTED], OLD, UNKNOWN),
        PASSED,
        Action.LIFTED,
        patch(None, labels={VERIFIED_AT: STAMP}, annotations={REASON: None, UNVERIFIED_AT: None}),
    ),
    "a node that was not verified failed": (
        node([TAINTED], OLD, UNKNOWN),
        FAILED,
        Action.KEPT,
        patch(labels={VERIFIED_AT: STAMP}, annotations={**REASONS, UNVERIFIED_AT: None}),
    ),
    "a deploy left it halfway": (
        node([GPU], OLD),
        Judgment(Standing.UNFINISHED, "not verified: no answer"),
        Action.TAINTED,
        patch([GPU, TAINTED], annotations=UNKNOWN),
    ),
    "a time that is none is no later one": (
        node([TAINTED], {VERIFIED_AT: "tomorrow", EVIDENCE: DIGEST}, {UNVERIFIED_AT: "9999"}),
        PASSED,
        Action.LIFTED,
        patch(None, labels={VERIFIED_AT: STAMP}, annotations={UNVERIFIED_AT: None}),
    ),
    "verified in part, with the taint": (node([PENDING]), PARTIAL, Action.UNTOUCHED, None),
    "verified in part, without it": (node([GPU]), PARTIAL, Action.UNTOUCHED, None),
    "our key in any effect and number is ours": (
        node([{"key": TAINT, "effect": "NoExecute"}, GPU, PENDING]),
        FAILED,
        Action.TAINTED,
        patch([TAINTED, GPU], labels=LABELS, annotations=REASONS),
    ),
    "and goes whole": (
        node([{"key": TAINT, "effect": "NoExecute"}, GPU, TAINTED]),
        PASSED,
        Action.LIFTED,
        patch([GPU], labels=LABELS),
    ),
}


@pytest.mark.parametrize(("before", "judgment", "action", "expected"), CASES.values(), ids=[*CASES])
def test_patches(before: dict[str, Any], judgment: Judgment, action: Action, expected: dict[str, Any] | None) -> None:
    assert decide(before, judgment, AT) == Decision(action, expected)


def test_the_decision_that_holds_is_the_last_that_was_acted_upon() -> None:
    lifted, confirmed = Decision(Action.LIFTED, {}), Decision(Action.CONFIRMED)
    superseded = Decision(Action.SUPERSEDED, None, "verified anew since")
    assert holding([confirmed]) == confirmed
    assert holding([lifted]) == lifted
    assert holding([lifted, confirmed]) == lifted
    assert holding([lifted, superseded]) == superseded
    assert holding([confirmed, lifted]) == lifted


def test_a_node_takes_pods_without_our_taint_alone() -> None:
    assert [takes_pods(node(taints)) for taints in (None, [GPU], [GPU, PENDING], [TAINTED])] == [
        True,
        True,
        False,
        False,
    ]


def test_the_taint_is_the_one_that_kubelets_register_with() -> None:
    assert str(PREFLIGHT) == "gpufleet.dev/preflight=pending:NoSchedule"
    assert PREFLIGHT.model_dump() == PENDING


def test_a_time_is_that_of_utc_and_fits_a_label() -> None:
    assert stamp(AT.astimezone(timezone(timedelta(hours=2)))) == label_value(STAMP)
