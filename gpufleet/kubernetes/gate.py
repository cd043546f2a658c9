"""The preflight gate: what the verification of a host means for its node, as the smallest patch that says so.

A node registers with the taint `gpufleet.dev/preflight=pending:NoSchedule` and takes pods once a verification has
lifted it. Everything under gpufleet's own keys is gpufleet's, whatever its value or effect; nothing else is
ever changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
#: Label with the time at which the host's latest verification began that came to a report.
VERIFIED_AT = f"{DOMAIN}/verified-at"
#: Label with the digest of that verification's report.
EVIDENCE = f"{DOMAIN}/evidence"
#: Annotation with the time at which a verification began that came to none; gone with the next report.
UNVERIFIED_AT = f"{DOMAIN}/unverified-at"

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
    #: Why a node is left alone whatever its host's verification says.
    reason: str = ""


def decide(node: Mapping[str, Any], judgment: Judgment, at: datetime) -> Decision:
    """Decide about a node as the API server returned it.

    The same outcome once more changes the time alone: an old label then always means an old verification. A later
    verification holds against an earlier one that ends after it: the earlier one lifts no taint, and puts one on only
    where there is none.

    + node: the node, whole; what is not gpufleet's goes back as it came, unknown fields included
    + judgment: what the verification of the host came to
    + at: when it began
    """
    if judgment.standing is Standing.PARTIAL:
        return Decision(Action.UNTOUCHED)
    before, passed = _taints(node), judgment.standing is Standing.PASSED
    since = _latest(node)
    is_late = since > stamp(at)
    if is_late and passed:
        return Decision(Action.SUPERSEDED, reason=f"verified anew since, at {since}")
    action = _action(before, judgment)
    labels, annotations = _texts(judgment, stamp(at))
    if is_late:  # what the later one wrote stays, but for the reason of a taint that it did not put on
        labels, annotations = {}, {} if action is Action.KEPT else {REASON: judgment.reason}
    metadata = {
        "labels": _changes(node, "labels", labels),
        "annotations": _changes(node, "annotations", annotations),
    }
    patch: dict[str, Any] = {"metadata": {name: changes for name, changes in metadata.items() if changes}}
    if (after := _after(before, passed=passed)) != before:
        patch["spec"] = {"taints": after or None}
    if patch == {"metadata": {}}:
        return Decision(action)
    patch["metadata"]["resourceVersion"] = node["metadata"]["resourceVersion"]
    return Decision(action, patch)


def holding(made: Sequence[Decision]) -> Decision:
    """Return which of the decisions about one node, each about a later version of it, says what was done.

    It is the last, unless that has nothing to do any more: then a patch was made whose answer got lost.
    """
    last, before = made[-1], made[-2:-1]
    is_done = last.patch is None and last.action in {Action.CONFIRMED, Action.KEPT}
    return before[0] if is_done and before else last


def takes_pods(node: Mapping[str, Any]) -> bool:
    """Tell whether a node has no taint of ours."""
    return all(taint.get("key") != TAINT for taint in _taints(node))


def stamp(at: datetime) -> str:
    """Return a time in UTC as the value of a label: `2026-11-23T14-37-10Z`."""
    return at.astimezone(UTC).strftime(_STAMP)


def _latest(node: Mapping[str, Any]) -> str:
    """Return when the latest verification began that has left its time; empty for none, and for what is no time."""
    metadata = node["metadata"]
    texts = (metadata.get("labels") or {}).get(VERIFIED_AT), (metadata.get("annotations") or {}).get(UNVERIFIED_AT)
    return max((text for text in texts if text and _is_stamp(text)), default="")


def _is_stamp(text: str) -> bool:
    try:
        return stamp(datetime.strptime(text, _STAMP).replace(tzinfo=UTC)) == text
    except ValueError:
        return False


def _taints(node: Mapping[str, Any]) -> list[dict[str, Any]]:
    return list(node.get("spec", {}).get("taints") or ())


def _after(before: list[dict[str, Any]], *, passed: bool) -> list[dict[str, Any]]:
    """Return the taints with ours gone, or there once, in the place where it was."""
    own = [number for number, taint in enumerate(before) if taint.get("key") == TAINT]
    others = [taint for taint in before if taint.get("key") != TAINT]
    if passed:
        return others
    place = own[0] if own else len(before)
    return [*others[:place], FAILED, *others[place:]]


def _texts(judgment: Judgment, at: str) -> tuple[dict[str, str | None], dict[str, str | None]]:
    """Return labels and annotations; without a report the labels of the latest one stay. None is for what shall go."""
    if judgment.evidence:
        annotations = {REASON: judgment.reason or None, UNVERIFIED_AT: None}
        return {VERIFIED_AT: at, EVIDENCE: judgment.evidence}, annotations
    return {}, {REASON: judgment.reason, UNVERIFIED_AT: at}


def _changes(node: Mapping[str, Any], field: str, wanted: Mapping[str, str | None]) -> dict[str, str | None]:
    """Return those of the wanted entries that are otherwise; None is for an entry that shall go."""
    there = node["metadata"].get(field) or {}
    return {key: value for key, value in wanted.items() if there.get(key) != value}


def _action(before: list[dict[str, Any]], judgment: Judgment) -> Action:
    tainted = any(taint.get("key") == TAINT for taint in before)
    if judgment.standing is Standing.PASSED:
        return Action.LIFTED if tainted else Action.CONFIRMED
    return Action.KEPT if FAILED in before else Action.TAINTED
