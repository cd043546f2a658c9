"""The preflight gate: what the verification of a host means for its node, as the smallest patch that says so.

A node registers with the taint `gpufleet.dev/preflight=pending:NoSchedule` and takes pods once a verification has
lifted it. Everything under gpufleet's own keys is gpufleet's, whatever its value or effect; nothing else is
ever changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gpufleet.kubernetes.gated import Action
from gpufleet.kubernetes.judgment import Judgment, Standing
from gpufleet.kubernetes.names import DOMAIN, PREFLIGHT

#: Key of the taint, in every effect.
TAINT = PREFLIGHT.key
#: What a node has whose host is not proved.
FAILED = {"key": TAINT, "value": "failed", "effect": PREFLIGHT.effect}

#: Annotation that says why the node is tainted.
REASON = f"{DOMAIN}/preflight-reason"
#: Label with the time of the host's latest verification, whatever came of it.
VERIFIED_AT = f"{DOMAIN}/verified-at"
#: Label with the digest of that verification's report.
EVIDENCE = f"{DOMAIN}/evidence"

#: UTC as a label's value may hold it: no colons.
_STAMP = "%Y-%m-%dT%H-%M-%SZ"


#: A JSON merge patch of a node, with the resourceVersion it is for.
Patch = Mapping[str, Any]


@dataclass(frozen=True)
class Decision:
    """What is done to a node."""

    action: Action
    #: None where the node is as it shall be.
    patch: Patch | None = None


def decide(node: Mapping[str, Any], judgment: Judgment, at: datetime) -> Decision:
    """Decide about a node as the API server returned it.

    The same outcome once more changes the time alone: an old label then always means an old verification.

    + node: the node, whole; what is not gpufleet's goes back as it came, unknown fields included
    + judgment: what the verification of the host came to
    + at: when the host was verified
    """
    if judgment.standing is Standing.PARTIAL:
        return Decision(Action.UNTOUCHED)
    before = list(node.get("spec", {}).get("taints") or ())
    after = _taints(before, passed=judgment.standing is Standing.PASSED)
    metadata = {
        "labels": _changes(node, "labels", _labels(judgment, at)),
        "annotations": _changes(node, "annotations", {REASON: judgment.reason or None}),
    }
    patch: dict[str, Any] = {"metadata": {name: changes for name, changes in metadata.items() if changes}}
    if after != before:
        patch["spec"] = {"taints": after or None}
    if patch != {"metadata": {}}:
        patch["metadata"]["resourceVersion"] = node["metadata"]["resourceVersion"]
        return Decision(_action(before, judgment), patch)
    return Decision(_action(before, judgment))


def stamp(at: datetime) -> str:
    """Return a time in UTC as the value of a label: `2026-11-23T14-37-10Z`."""
    return at.astimezone(UTC).strftime(_STAMP)


def _taints(before: list[dict[str, Any]], *, passed: bool) -> list[dict[str, Any]]:
    """Return the taints with ours gone, or there once, in the place where it was."""
    own = [number for number, taint in enumerate(before) if taint.get("key") == TAINT]
    others = [taint for taint in before if taint.get("key") != TAINT]
    if passed:
        return others
    place = own[0] if own else len(before)
    return [*others[:place], FAILED, *others[place:]]


def _labels(judgment: Judgment, at: datetime) -> dict[str, str | None]:
    """Return the labels of a report; without a report those of the latest one stay."""
    return {VERIFIED_AT: stamp(at), EVIDENCE: judgment.evidence} if judgment.evidence else {}


def _changes(node: Mapping[str, Any], field: str, wanted: Mapping[str, str | None]) -> dict[str, str | None]:
    """Return those of the wanted entries that are otherwise; None is for an entry that shall go."""
    there = node["metadata"].get(field) or {}
    return {key: value for key, value in wanted.items() if there.get(key) != value}


def _action(before: list[dict[str, Any]], judgment: Judgment) -> Action:
    tainted = any(taint.get("key") == TAINT for taint in before)
    if judgment.standing is Standing.PASSED:
        return Action.LIFTED if tainted else Action.CONFIRMED
    return Action.KEPT if FAILED in before else Action.TAINTED
