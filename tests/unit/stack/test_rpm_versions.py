"""rpm's order of versions; the table holds cases of rpm's own test suite (rpmvercmp.at), the rest are its laws."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpufleet.stack.rpm_versions import compare, order

VERSIONS = st.from_regex(r"\A([0-9]:)?[0-9a-z~^.]{1,8}(-[0-9a-z.]{1,4})?\Z")


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("1.0", "1.0", 0),
        ("1.0", "2.0", -1),
        ("2.0.1", "2.0", 1),
        ("5.5p1", "5.5p10", -1),
        ("10xyz", "10.1xyz", -1),
        ("xyz10", "xyz10.1", -1),
        ("20101121", "20101122", -1),
        ("1.0010", "1.9", 1),
        ("1.05", "1.5", 0),
        ("1.0", "1", 1),
        ("1.0a", "1.0", 1),
        ("1.0~rc1", "1.0", -1),
        ("1.0~rc1", "1.0~rc2", -1),
        ("1.0~rc1~git123", "1.0~rc1", -1),
        ("1.0^", "1.0", 1),
        ("1.0^git1", "1.01", -1),
        ("1.0^git1~pre", "1.0^git1", -1),
        ("580.95.05-1.el9", "580.105.08-1.el9", -1),
        ("3:580.95.05-1.el9", "580.105.08-1.el9", 1),
        ("0:580.95.05-1.el9", "580.95.05-1.el9", 0),
        ("580.95.05-1.el9", "580.95.05-2.el9", -1),
    ],
)
def test_compare(left: str, right: str, expected: int) -> None:
    assert compare(left, right) == expected
    assert compare(right, left) == -expected


@given(st.lists(VERSIONS, min_size=3, max_size=6))
def test_the_order_does_not_depend_on_where_one_begins(versions: list[str]) -> None:
    backwards = list(reversed(versions))
    backwards.sort(key=order)
    assert all(compare(*pair) == 0 for pair in zip(sorted(versions, key=order), backwards, strict=True))
