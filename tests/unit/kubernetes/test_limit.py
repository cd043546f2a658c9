"""How many nodes may be shut out because nobody could verify their hosts."""

from __future__ import annotations

import pytest

from gpufleet.kubernetes.limit import allowed, is_near, refusal

CURE = (
    "this is more likely a fault of the controller, such as its network or its key, than of the hosts, so none of them "
    "was shut out: mend that and verify again, or run `gpufleet verify` with --shut-out-all"
)


@pytest.mark.parametrize(("nodes", "expected"), [(1, 5), (40, 5), (59, 5), (60, 6), (4000, 400)])
def test_how_many(nodes: int, expected: int) -> None:
    assert allowed(nodes) == expected


@pytest.mark.parametrize(
    ("nodes", "unverified", "anew", "near", "expected"),
    [
        (1, 1, 1, False, ""),
        (2, 1, 1, False, ""),
        (2, 2, 0, True, ""),
        (2, 2, 1, True, "expected any of 2 hosts to be verified, found none"),
        (2, 2, 2, True, "expected any of 2 hosts to be verified, found none"),
        (7, 5, 5, False, ""),
        (7, 6, 5, True, ""),
        (
            7,
            6,
            6,
            True,
            "expected at most 5 of 7 nodes to be shut out because their hosts could not be verified, found 6",
        ),
        (4000, 400, 400, False, ""),
        (4000, 3000, 400, True, ""),
        (
            4000,
            4000,
            3990,
            True,
            "expected at most 400 of 4000 nodes to be shut out because their hosts could not be verified, found 3990",
        ),
    ],
)
def test_when_it_is_too_many(nodes: int, unverified: int, anew: int, near: bool, expected: str) -> None:
    assert is_near(nodes, unverified) == near
    found = refusal(nodes, unverified, anew)
    assert str(found or "") == (f"the preflight gate: {expected}; {CURE}" if expected else "")
    assert found is None or found.exit_code == 1
