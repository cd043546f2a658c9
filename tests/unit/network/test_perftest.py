"""Outputs of perftest, read: figures of every kind of table, and what is said of a failure."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpufleet.network.perftest import bandwidth, complaint, latency
from tests.support import perftest_outputs as said


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (said.DURATION, 391.87),
        (said.ROCE, 111.71),
        (said.ALL_SIZES, 391.02),
        (said.ITERATIONS_MB, 195.602),
        (said.MIB, 98.360),
        (said.NO_PATH, None),
        (said.SERVER_WAITS, None),
        ("", None),
        (said.LATENCY, None),
    ],
)
def test_bandwidth_in_gigabits(output: str, expected: float | None) -> None:
    found = bandwidth(output.splitlines())
    assert found == (None if expected is None else pytest.approx(expected, abs=0.001))


@pytest.mark.parametrize(
    ("output", "expected"),
    [(said.LATENCY, 1.89), (said.LATENCY_DURATION, 1.84), (said.DURATION, None), (said.NO_DEVICE, None)],
)
def test_latency_in_microseconds(output: str, expected: float | None) -> None:
    assert latency(output.splitlines()) == expected


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (said.DURATION, ""),
        (said.LATENCY, ""),
        (said.ROCE, ""),
        (said.SERVER_WAITS, ""),
        (
            said.NO_PATH,
            "Completion with error at client; Failed status 12: wr_id 0 syndrom 0x81; scnt=128, ccnt=0; "
            "Failed to complete run_iter_bw function successfully",
        ),
        (
            said.NO_DEVICE,
            "Did not detect devices; If device exists, check if driver is up; "
            "Unable to find the Infiniband/RoCE device",
        ),
        ("timeout: failed to run command 'ib_write_bw': No such file or directory\n",) * 2,
    ],
)
def test_complaint(output: str, expected: str) -> None:
    assert complaint(output.splitlines()) == expected.strip()


@given(st.floats(0.01, 1000), st.floats(0.01, 1000))
def test_the_average_is_read_and_not_the_peak(peak: float, average: float) -> None:
    row = f" {65536:<7}    {5000:<10}       {peak:<7.2f}            {average:<7.2f}\t\t   {0.7:<7.6f}"
    assert bandwidth([*said.COLUMNS_GBITS.splitlines(), row]) == float(f"{average:.2f}")


@given(st.text())
def test_anything_can_be_read(text: str) -> None:
    lines = text.splitlines()
    assert (bandwidth(lines), latency(lines)) == (None, None)
    complaint(lines)
