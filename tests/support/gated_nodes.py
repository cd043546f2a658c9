"""Nodes as an API server returns them, what may be found of their hosts, and patches that may come of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from gpufleet.kubernetes.gate import EVIDENCE, REASON, TAINT, UNVERIFIED_AT, VERIFIED_AT
from gpufleet.kubernetes.judgment import Judgment, Standing

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
UNKNOWN = {REASON: "not verified: no answer", UNVERIFIED_AT: STAMP}
