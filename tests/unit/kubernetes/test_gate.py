"""Which patch a node gets, as whole patches, and none where nothing is to be done."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from gpufleet.kubernetes.gate import EVIDENCE, REASON, TAINT, VERIFIED_AT, Decision, decide, stamp
from gpufleet.kubernetes.gated import Action
from gpufleet.kubernetes.judgment import Judgment, Standing
from gpufleet.kubernetes.names import PREFLIGHT, label_value

AT = datetime(2026, 11, 23, 14, 37, 10, tzinfo=UTC)
STAMP = "2026-11-23T14-37-10Z"
DIGEST = "sha256-00000000000000000000000000000001"
WHY = "1 of 9 checks did not pass: nvidia_driver gpus_are_there: expected 8 GPUs, found 7"

PASSED = Judgment(Standing.PASSED, evidence=DIGEST)
FAILED = Judgment(Standing.FAILED, WHY, DIGEST)
SILENT = Judgment(Standing.UNVERIFIED, "not verified: no answer")
PARTIAL = Judgment(Standing.PARTIAL, "not checked: cuda")

PENDING = {"key": TAINT, "value": "pending", "effect": "NoSchedule"}
TAINTED = {"key": TAINT, "value": "failed", "effect": "NoSchedule"}
GPU = {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}
CORDON = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule", "timeAdded": "2026-11-23T10:00:00Z"}
LABELS = {VERIFIED_AT: STAMP, EVIDENCE: DIGEST}


def node(
    taints: list[dict[str, str]] | None = None,
    labels: dict[str, str] | None = None,
    annotations: dict[str, str] | None = None,
) -> dict[str, Any]:
    metadata = {"name": "gpu-01", "resourceVersion": "7"}
    given = {"labels": labels, "annotations": annotations}
    spec = {"podCIDR": "10.0.0.0/24"} if taints is None else {"podCIDR": "10.0.0.0/24", "taints": taints}
    return {"metadata": metadata | {key: value for key, value in given.items() if value is not None}, "spec": spec}


def patch(taints: Any = "", **metadata: Any) -> dict[str, Any]:
    return {"metadata": {"resourceVersion": "7", **metadata}} | ({} if taints == "" else {"spec": {"taints": taints}})


OLD = {VERIFIED_AT: "2026-11-22T00-00-00Z", EVIDENCE: DIGEST}
REASONS = {REASON: WHY}

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
        patch([GPU, TAINTED], annotations={REASON: "not verified: no answer"}),
    ),
    "not verified again": (node([TAINTED], OLD, {REASON: "not verified: no answer"}), SILENT, Action.KEPT, None),
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


def test_the_taint_is_the_one_that_kubelets_register_with() -> None:
    assert str(PREFLIGHT) == "gpufleet.dev/preflight=pending:NoSchedule"
    assert PREFLIGHT.model_dump() == PENDING


def test_a_time_is_that_of_utc_and_fits_a_label() -> None:
    assert stamp(AT.astimezone(timezone(timedelta(hours=2)))) == label_value(STAMP)
