"""Bandwidth and latency of adapters beside what is expected: asked for, passing, too slow, and not to be told."""

from __future__ import annotations

from typing import Any

import pytest

from gpufleet.facts.rdma_speed import RdmaSpeeds
from gpufleet.health.probe import Request
from gpufleet.inventory.hosts import InventoryHost
from tests.support import perftest_outputs as said
from tests.support.check_runs import Answer, outcomes
from tests.unit.roles.test_infiniband_checks import GOOD, OPTIONS
from tests.verify import test_infiniband as module
from tests.verify.infiniband_speed import measure

DEVICES = ["== device mlx5_0 1021 400 InfiniBand", "== device mlx5_1 1021 400 InfiniBand"]
BW, LAT = "bandwidth_between_adapters", "latency_between_adapters"


def run(tool: str, pair: str, output: str, status: str = "0") -> list[str]:
    """What the program prints of one run."""
    server = said.SERVER_WAITS.splitlines()
    return [f"== run {tool} {pair}", *server, "== answer", *output.splitlines(), f"== status {status}"]


def measured(bandwidth: str = said.DURATION, latency: str = said.LATENCY, status: str = "0") -> list[str]:
    """Both directions, of which the second is good."""
    first, second = "mlx5_0 mlx5_1", "mlx5_1 mlx5_0"
    rows = [*run("ib_write_bw", first, bandwidth, status), *run("ib_write_lat", first, latency, status)]
    return [*DEVICES, *rows, *run("ib_write_bw", second, said.DURATION), *run("ib_write_lat", second, said.LATENCY)]


def failing(speed: list[str], section: dict[str, Any] | None = None, **performance: Any) -> dict[str, str]:
    data = {"infiniband": {**OPTIONS, "performance": {"run": True, **performance}}}
    return outcomes(module, {**GOOD, "speed": speed, **(section or {})}, data, Answer())


SLOW = said.DURATION.replace("391.87", "201.30")
LATE = said.LATENCY.replace("1.89", "9.05")


@pytest.mark.parametrize(
    ("data", "asked"),
    [
        ({}, "true"),
        ({"infiniband": {}}, "true"),
        ({"infiniband": {"performance": {"devices": ["mlx5_0"]}}}, "true"),
        ({"infiniband": {"performance": {"run": True}}}, Request(RdmaSpeeds().command(limit=400), 480)),
        (
            {"infiniband": {"performance": {"run": True, "memory": "gpu", "devices": ["mlx5_0", "mlx5_1"]}}},
            Request(RdmaSpeeds().command(limit=400, memory="gpu", devices=["mlx5_0", "mlx5_1"]), 480),
        ),
    ],
)
def test_nothing_is_measured_unless_asked_for(data: dict[str, Any], asked: str | Request) -> None:
    assert measure(InventoryHost("gpu-07", "ssh", (), data)) == asked


def test_as_fast_as_expected() -> None:
    assert failing(measured()) == {}
    assert failing(measured(), memory="gpu") == {}


def test_nothing_is_judged_that_was_not_asked_for() -> None:
    assert failing(measured(SLOW, LATE), run=False) == {}


@pytest.mark.parametrize(
    ("speed", "performance", "expected"),
    [
        (
            measured(SLOW),
            {},
            {BW: "mlx5_0 to mlx5_1: expected at least 384 Gb/s (ConnectX-7 at 400 Gb/s), found 201.3 Gb/s"},
        ),
        (
            measured(said.DURATION.replace("391.87", "359.00")),
            {"memory": "gpu"},
            {BW: "mlx5_0 to mlx5_1: expected at least 360 Gb/s (ConnectX-7 at 400 Gb/s), found 359 Gb/s"},
        ),
        (
            measured(latency=LATE),
            {},
            {LAT: "mlx5_0 to mlx5_1: expected at most 5 us (ConnectX-7 at 400 Gb/s), found 9.05 us"},
        ),
        (measured(SLOW, LATE), {"bandwidth": 200, "latency": 10}, {}),
        (
            measured(),
            {"bandwidth": 395, "latency": 1.5},
            {
                BW: "mlx5_0 to mlx5_1: expected at least 395 Gb/s, found 391.87 Gb/s; "
                "mlx5_1 to mlx5_0: expected at least 395 Gb/s, found 391.87 Gb/s",
                LAT: "mlx5_0 to mlx5_1: expected at most 1.5 us, found 1.89 us; "
                "mlx5_1 to mlx5_0: expected at most 1.5 us, found 1.89 us",
            },
        ),
        (
            measured(said.NO_PATH, said.NO_DEVICE, status="1"),
            {},
            {
                BW: "mlx5_0 to mlx5_1: expected at least 384 Gb/s, found Completion with error at client; Failed "
                "status 12: wr_id 0 syndrom 0x81; scnt=128, ccnt=0; Failed to complete run_iter_bw function "
                "successfully",
                LAT: "mlx5_0 to mlx5_1: expected at most 5 us, found Did not detect devices; If device exists, check "
                "if driver is up; Unable to find the Infiniband/RoCE device",
            },
        ),
        (
            measured("", "", status="124"),
            {},
            {
                BW: "mlx5_0 to mlx5_1: expected at least 384 Gb/s, found no answer in time",
                LAT: "mlx5_0 to mlx5_1: expected at most 5 us, found no answer in time",
            },
        ),
        (
            [*DEVICES, "== late ib_write_bw mlx5_0 mlx5_1", "== late ib_write_lat mlx5_0 mlx5_1"],
            {},
            {
                BW: "mlx5_0 to mlx5_1: expected at least 384 Gb/s, found no run, as the time was up",
                LAT: "mlx5_0 to mlx5_1: expected at most 5 us, found no run, as the time was up",
            },
        ),
        (
            ["== missing"],
            {},
            dict.fromkeys((BW, LAT), "perftest: expected ib_write_bw and ib_write_lat, found none"),
        ),
        (
            measured(),
            {"devices": ["mlx5_0", "mlx5_9"]},
            dict.fromkeys((BW, LAT), "mlx5_9: expected a device of this name, found none"),
        ),
    ],
)
def test_too_slow_or_not_at_all(speed: list[str], performance: dict[str, Any], expected: dict[str, str]) -> None:
    assert failing(speed, **performance) == expected


ALONE = "mlx5_0: no second device is on its network (InfiniBand/fe80:0000:0000:0000); mlx5_1: its port is DOWN"


@pytest.mark.parametrize(
    ("speed", "performance", "expected"),
    [
        (
            [*DEVICES, *(f"== left {row.replace(':', '', 1)}" for row in ALONE.split("; "))],
            {},
            dict.fromkeys((BW, LAT), f"unproven: {ALONE}"),
        ),
        (
            ["== no cuda", *measured()],
            {"memory": "gpu"},
            {BW: "unproven: perftest of this host cannot use GPU memory: it has no option --use_cuda"},
        ),
        (
            [row.replace("mlx5_1 1021 400", "mlx5_1 1013 100") for row in measured()],
            {},
            {
                BW: "unproven: mlx5_1: no known bandwidth of 15b3:1013 at 100 Gb/s; give performance.bandwidth",
                LAT: "unproven: mlx5_1: no known latency of 15b3:1013 at 100 Gb/s; give performance.latency",
            },
        ),
        (
            [row.replace("mlx5_1 1021 400", "mlx5_1 1021 200") for row in measured(said.ROCE)],
            {},
            {
                BW: "mlx5_0 to mlx5_1: expected at least 192 Gb/s (ConnectX-7 at 400 Gb/s, ConnectX-7 at 200 Gb/s), "
                "found 111.71 Gb/s"
            },
        ),
    ],
)
def test_what_cannot_be_told(speed: list[str], performance: dict[str, Any], expected: dict[str, str]) -> None:
    assert failing(speed, **performance) == expected


def test_devices_between_which_nothing_ran() -> None:
    assert failing(DEVICES) == dict.fromkeys((BW, LAT), "unproven: perftest measured nothing")


def test_a_kernel_without_a_device() -> None:
    found = failing([], {"devices": ""})
    assert (found[BW], found[LAT]) == ("unproven: the kernel shows no RDMA device",) * 2
