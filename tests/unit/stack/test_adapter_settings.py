"""Rules of firmware settings: which adapter they mean, what counts as the same value, which firmware is older."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpufleet.stack.adapter_settings import (
    Adapter,
    Rule,
    Setting,
    Value,
    declared,
    differences,
    is_older,
    meant,
    minimum,
    same,
    unknown,
)

ADAPTER = Adapter(
    "0000:18:00.0",
    "1021",
    "MT_0000001244",
    "28.42.1000",
    settings={
        "ATS_ENABLED": Setting("False(0)", "False(0)", "True(1)"),
        "NUM_OF_VFS": Setting("0", "8", "8"),
        "LINK_TYPE_P1": Setting("ETH(2)", "IB(1)", "IB(1)"),
    },
)
KIND = Rule({"NUM_OF_VFS": 8, "ATS_ENABLED": False}, "28.36.1010", device="1021")
PRODUCT = Rule({"NUM_OF_VFS": 16}, "28.43.1014", psid="MT_0000001244")
ONE = Rule({"NUM_OF_VFS": 4}, address="0000:18:00.0")
OTHER = Rule({"NUM_OF_VFS": 1}, device="101b")


@pytest.mark.parametrize(
    ("rules", "value", "oldest"),
    [
        ([KIND], 8, "28.36.1010"),
        ([PRODUCT, KIND], 16, "28.43.1014"),
        ([ONE, PRODUCT, KIND], 4, "28.43.1014"),
        ([OTHER], None, None),
    ],
)
def test_the_narrowest_rule_wins(rules: list[Rule], value: int | None, oldest: str | None) -> None:
    assert (declared(ADAPTER, rules).get("NUM_OF_VFS"), minimum(ADAPTER, rules)) == (value, oldest)


@pytest.mark.parametrize(
    ("value", "found", "is_same"),
    [
        (True, "True(1)", True),
        (1, "True(1)", True),
        (False, "True(1)", False),
        ("true", "True(1)", True),
        ("IB", "IB(1)", True),
        ("ETH", "IB(1)", False),
        (2, "ETH(2)", True),
        (8, "8", True),
        (8, "18", False),
        ("0x10", "16", True),
        ("_256KB", "_256KB(1)", True),
        ("_256KB(1)", "_256KB(1)", True),
    ],
)
def test_same(value: Value, found: str, is_same: bool) -> None:
    assert same(value, found) is is_same


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"NUM_OF_VFS": 8, "LINK_TYPE_P1": "IB"}, []),
        ({"NUM_OF_VFS": 16}, ["NUM_OF_VFS declared 16, now 8, after a boot 8"]),
        ({"ATS_ENABLED": True}, ["ATS_ENABLED declared 1, now False(0), after a boot True(1)"]),
        ({"ATS_ENABLED": False}, ["ATS_ENABLED declared 0, now False(0), after a boot True(1)"]),
    ],
)
def test_differences(settings: dict[str, Value], said: list[str]) -> None:
    assert [str(row) for row in differences(ADAPTER, [Rule(settings, device="1021")])] == said


def test_firmware_that_cannot_tell_its_current_value() -> None:
    blind = Adapter("0000:09:00.0", "1003", settings={"LINK_TYPE_P1": Setting(next="IB(1)")})
    rules = [Rule({"LINK_TYPE_P1": value}, device="1003") for value in ("IB", "ETH")]
    assert [[str(row) for row in differences(blind, [rule])] for rule in rules] == [
        [],
        ["LINK_TYPE_P1 declared ETH, now unknown, after a boot IB(1)"],
    ]


def test_settings_that_the_firmware_does_not_have() -> None:
    assert unknown(ADAPTER, [Rule({"NUM_OF_VFS": 8, "NO_SUCH": 1}, device="1021")]) == ["NO_SUCH"]


def test_an_adapter_without_an_answer_may_have_any_psid() -> None:
    mute = Adapter("0000:2a:00.0", "101b", error="firmware: Segmentation fault (exit status 139)")
    assert meant([ADAPTER, mute], [PRODUCT]) == [ADAPTER, mute]
    assert meant([ADAPTER, mute], [KIND]) == [ADAPTER]


@given(st.tuples(*[st.integers(0, 9999)] * 3), st.tuples(*[st.integers(0, 9999)] * 3))
def test_versions_go_by_their_numbers(first: tuple[int, ...], second: tuple[int, ...]) -> None:
    written = [".".join(map(str, version)) for version in (first, second)]
    assert is_older(written[0], written[1]) is (first < second)
