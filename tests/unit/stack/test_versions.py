"""Short versions against Debian's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpufleet.stack.versions import branch, matches, minor, newest, newest_match, numbers, pin_pattern, upstream

UPSTREAM = st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,3}){1,2}", fullmatch=True)
REVISION = st.from_regex(r"[0-9]{1,2}(~bpo12\+1|~deb13u1|\+b3)?", fullmatch=True)


@pytest.mark.parametrize(
    ("wanted", "version", "expected"),
    [
        ("535.261.03", "535.261.03-1", True),
        ("535.216.03", "535.216.03-2~bpo12+1", True),
        ("535.261.03-1", "535.261.03-1", True),
        ("535.261.03-1", "535.261.03-2", False),
        ("535.261", "535.261.03-1", False),
        ("535.261.0", "535.261.03-1", False),
        ("1.7.24", "1.7.24~ds1-6+b4", True),
        ("2.10", "2.10+dfsg-1", True),
        ("2.10", "2.10~rc1-1", False),
        ("1.99.1", "1:1.99.1-7.3", True),
        ("1.99.1-7.3", "1:1.99.1-7.3", True),
        ("1.0", "1.0", True),
        ("535.*", "535.261.03-1", True),
        ("535.*", "550.163.01-2", False),
    ],
)
def test_matches(wanted: str, version: str, expected: bool) -> None:
    assert matches(wanted, version) is expected


@given(UPSTREAM, REVISION)
def test_every_version_is_matched_by_itself_and_by_its_upstream(number: str, revision: str) -> None:
    version = f"{number}-{revision}"
    assert upstream(version) == number
    assert matches(version, version)
    assert matches(number, version)
    assert matches(pin_pattern(number), version)


def test_of_several_the_newest_is_taken() -> None:
    available = ["550.163.01-2", "535.261.03-2", "535.261.03-1"]
    assert newest_match("535.261.03", available) == "535.261.03-2"
    assert newest_match("570.1", available) is None


@pytest.mark.parametrize(
    ("version", "pattern"), [("535.216.03", "535.216.03-*"), ("535.216.03-2", "535.216.03-2"), ("535.*", "535.*")]
)
def test_pin_pattern(version: str, pattern: str) -> None:
    assert pin_pattern(version) == pattern


@pytest.mark.parametrize(
    ("version", "parts"),
    [
        ("580.95.05", (580, 95, 5)),
        ("580.105.08-1", (580, 105, 8)),
        ("1:4.4.1-1", (4, 4, 1)),
        ("535.261.03-1~deb12u1", (535, 261, 3)),
        ("13.0", (13, 0)),
    ],
)
def test_numbers(version: str, parts: tuple[int, ...]) -> None:
    assert numbers(version) == parts


@given(st.lists(st.tuples(st.integers(1, 999), st.integers(0, 999), st.integers(0, 99)), min_size=1))
def test_versions_are_compared_as_numbers(parts: list[tuple[int, int, int]]) -> None:
    texts = [f"{first}.{second}.{third:02}" for first, second, third in parts]
    greatest = newest(texts)
    assert greatest
    assert numbers(greatest) == max(parts)


def test_of_no_versions_none_is_newest() -> None:
    assert newest([]) is None
    assert newest(["580.95.05", "580.105.08", "570.211.01"]) == "580.105.08"


def test_parts_of_a_version() -> None:
    assert (branch("580.95.05-1"), minor("12.9.1"), minor("1.34.2-1.1")) == (580, "12.9", "1.34")


@pytest.mark.parametrize("version", ["", "latest", "580.x", "v1.34"])
def test_what_is_not_of_numbers_has_none(version: str) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        numbers(version)
