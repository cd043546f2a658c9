"""The table of what adapters must show: whole, plausible, and found by adapter and rate."""

from __future__ import annotations

from datetime import date

import pytest
from pydantic import ValidationError

from gpufleet.network.speeds import Speed, speed, speeds
from gpufleet.project import ROOT

ROW = {
    "generation": "ConnectX-7",
    "devices": ["1021"],
    "rate": 400,
    "bandwidth": 384,
    "gpu_bandwidth": 360,
    "latency": {"x86_64": 5},
    "verified": True,
    "source": "somebody",
    "read": date(2026, 11, 23),
}


@pytest.mark.parametrize(
    ("device", "rate", "expected"),
    [
        ("1021", 400, ("ConnectX-7 at 400 Gb/s", 384, 360, 5)),
        ("1021", 200, ("ConnectX-7 at 200 Gb/s", 192, 180, 5)),
        ("1019", 100, ("ConnectX-5 at 100 Gb/s", 95, 78, 5)),
        ("101b", 200, ("ConnectX-6 at 200 Gb/s", 190, 180, 5)),
        ("101d", 100, ("ConnectX-6 Dx at 100 Gb/s", 95, 90, 5)),
        ("1023", 800, ("ConnectX-8 at 800 Gb/s", 770, 770, 5)),
        ("1021", 100, None),
        ("1013", 100, None),
    ],
)
def test_rows_by_adapter_and_rate(device: str, rate: float, expected: tuple[object, ...] | None) -> None:
    row = speed(device, rate)
    assert (row and (row.name, row.bandwidth, row.gpu_bandwidth, row.latency["x86_64"])) == expected


@pytest.mark.parametrize("row", speeds(), ids=lambda row: row.name)
def test_every_row_is_plausible(row: Speed) -> None:
    assert 0.75 * row.rate <= row.gpu_bandwidth <= row.bandwidth < row.rate
    assert set(row.latency) == {"x86_64", "aarch64"}
    assert row.source
    assert row.verified != row.source.startswith("derived")


@pytest.mark.parametrize("row", speeds(), ids=lambda row: row.name)
def test_every_row_is_documented(row: Speed) -> None:
    times = f"{row.latency['x86_64']:g}, {row.latency['aarch64']:g}"
    cells = (f"{row.generation}, {row.rate}", ", ".join(row.devices), f"{row.bandwidth:g}", f"{row.gpu_bandwidth:g}")
    line = f"| {' | '.join(cells)} | {times} | {'published' if row.verified else 'derived'} |"
    assert line in (ROOT / "docs/infiniband.md").read_text(encoding="utf-8").splitlines()


def test_no_adapter_has_two_rows_for_a_rate() -> None:
    keys = [(device, row.rate) for row in speeds() for device in row.devices]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bandwith": 1}, "Extra inputs are not permitted"),
        ({"source": None}, "Input should be a valid string"),
        ({"read": "soon"}, "Input should be a valid date or datetime, input is too short"),
        ({"rate": 0}, "Input should be greater than 0"),
        ({"devices": "1021"}, "Input should be a valid tuple"),
    ],
)
def test_a_row_that_is_not_whole_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Speed.model_validate({**ROW, **changes})
    assert [error["msg"] for error in refused.value.errors()] == [message]
