"""What holds of every patch: others' things survive it, it is minimal, and a second one has nothing to do."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from gpufleet.kubernetes.gate import EVIDENCE, REASON, TAINT, UNVERIFIED_AT, VERIFIED_AT, decide, stamp
from gpufleet.kubernetes.gated import Action
from gpufleet.kubernetes.judgment import Judgment, Standing
from tests.support.api_server import merge

OWN = {REASON, VERIFIED_AT, EVIDENCE, UNVERIFIED_AT}

DIGESTS = st.sampled_from(["sha256-1", "sha256-2"])
REASONS = st.sampled_from(["not verified: no answer", "1 of 2 checks did not pass: base swap: found swap"])
TIMES = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))
JUDGMENTS = st.one_of(
    st.builds(Judgment, st.just(Standing.PASSED), st.just(""), DIGESTS),
    st.builds(Judgment, st.just(Standing.FAILED), REASONS, DIGESTS),
    st.builds(Judgment, st.just(Standing.UNVERIFIED), REASONS),
    st.builds(Judgment, st.just(Standing.PARTIAL), REASONS),
)
TAINTS = st.lists(
    st.fixed_dictionaries(
        {
            "key": st.sampled_from([TAINT, "gpufleet.dev/preflight-x", "nvidia.com/gpu", "example.org/a"]),
            "effect": st.sampled_from(["NoSchedule", "NoExecute", "PreferNoSchedule"]),
        },
        optional={"value": st.sampled_from(["", "failed", "pending"]), "timeAdded": st.just("2026-11-23T10:00:00Z")},
    ),
    max_size=5,
)
OTHER_KEYS = ["gpufleet.dev/driver", "example.org/owner"]
TEXTS = st.builds(
    lambda texts, times: {**texts, **times},
    st.dictionaries(st.sampled_from([*OWN, *OTHER_KEYS]), REASONS, max_size=5),
    st.dictionaries(st.sampled_from([VERIFIED_AT, UNVERIFIED_AT]), TIMES.map(stamp), max_size=2),
)
NODES = st.builds(
    lambda taints, labels, annotations, seen: {
        "metadata": {"resourceVersion": "7", **seen, "labels": labels, "annotations": annotations},
        "spec": {"unschedulable": True, **seen, **({"taints": taints} if taints else {})},
        "status": {"conditions": [{"type": "Ready", "status": "False"}]},
    },
    TAINTS,
    TEXTS,
    TEXTS,
    st.just({"added-by-a-later-release": {"x": [1]}}),
)


def patched(node: dict[str, Any], judgment: Judgment, at: datetime) -> dict[str, Any]:
    after = copy.deepcopy(node)
    merge(after, dict(decide(node, judgment, at).patch or {}))
    return after


def taints(node: dict[str, Any]) -> list[Any]:
    return node["spec"].get("taints", [])  # type: ignore[no-any-return]


def is_late(node: dict[str, Any], at: datetime) -> bool:
    """Whether another verification that began later has acted on a node."""
    return decide(node, Judgment(Standing.PASSED, evidence="sha256-1"), at).action is Action.SUPERSEDED


def of_others(node: dict[str, Any]) -> dict[str, Any]:
    """A node without what is gpufleet's."""
    rest = copy.deepcopy(node)
    rest["spec"]["taints"] = [taint for taint in taints(node) if taint["key"] != TAINT]
    for field in ("labels", "annotations"):
        rest["metadata"][field] = {key: value for key, value in node["metadata"][field].items() if key not in OWN}
    return rest


@given(NODES, JUDGMENTS, TIMES)
def test_what_is_of_others_survives(node: dict[str, Any], judgment: Judgment, at: datetime) -> None:
    before = copy.deepcopy(node)
    assert of_others(patched(node, judgment, at)) == of_others(before)
    assert node == before


@given(NODES, JUDGMENTS, TIMES)
def test_the_taint_says_how_the_host_stands(node: dict[str, Any], judgment: Judgment, at: datetime) -> None:
    before, own = (
        [taint for taint in taints(each) if taint["key"] == TAINT] for each in (node, patched(node, judgment, at))
    )
    expected: list[Any] = {
        Standing.PASSED: before if is_late(node, at) else [],
        Standing.PARTIAL: before,
    }.get(judgment.standing, [{"key": TAINT, "value": "failed", "effect": "NoSchedule"}])
    assert own == expected


@given(NODES, JUDGMENTS, TIMES, TIMES)
def test_no_verification_makes_an_earlier_one_count_again(
    node: dict[str, Any], judgment: Judgment, at: datetime, other: datetime
) -> None:
    """Whatever is done to a node, a taint that `other` could not lift before it still cannot lift."""
    assert is_late(patched(node, judgment, at), other) >= is_late(node, other)


@given(NODES, JUDGMENTS, TIMES)
def test_a_second_time_there_is_nothing_to_do(node: dict[str, Any], judgment: Judgment, at: datetime) -> None:
    assert decide(patched(node, judgment, at), judgment, at).patch is None


@given(NODES, JUDGMENTS, TIMES, TIMES)
def test_later_the_time_alone_changes(node: dict[str, Any], judgment: Judgment, at: datetime, later: datetime) -> None:
    assume(not is_late(node, at))
    patch = decide(patched(node, judgment, at), judgment, later).patch
    field, key = ("labels", VERIFIED_AT) if judgment.evidence else ("annotations", UNVERIFIED_AT)
    assert patch in (None, {"metadata": {"resourceVersion": "7", field: {key: stamp(later)}}})


@given(NODES, JUDGMENTS, TIMES)
def test_a_patch_holds_changes_alone(node: dict[str, Any], judgment: Judgment, at: datetime) -> None:
    patch = decide(node, judgment, at).patch
    if patch is None:
        return
    metadata = dict(patch["metadata"])
    assert metadata.pop("resourceVersion") == "7"
    changes = [(field, key, value) for field, values in metadata.items() for key, value in values.items()]
    assert all(node["metadata"][field].get(key) != value for field, key, value in changes)
    assert {key for _, key, _ in changes} <= OWN
    assert patch.get("spec", {"taints": None}).keys() == {"taints"}
    assert "spec" not in patch or (patch["spec"]["taints"] or []) != taints(node)
    assert metadata or "spec" in patch
