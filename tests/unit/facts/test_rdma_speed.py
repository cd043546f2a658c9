"""The program that measures between the devices of a host, run here over the real loopback."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpufleet.facts.rdma_speed import SpeedDevice, SpeedReport, SpeedRun
from tests.support.perftest_host import BW, LAT, OPTIONS, PerftestHost


def device(number: int, layer: str = "InfiniBand") -> SpeedDevice:
    return SpeedDevice(f"mlx5_{number}", "1021", 400, layer)


def both(*pairs: tuple[int, int]) -> list[SpeedRun]:
    """Good runs of both tools between devices."""
    values = {BW: 391.87, LAT: 1.89}
    return [SpeedRun(tool, f"mlx5_{a}", f"mlx5_{b}", value) for a, b in pairs for tool, value in values.items()]


@pytest.fixture
def host(tmp_path: Path) -> PerftestHost:
    return PerftestHost(tmp_path)


def test_each_device_sends_to_the_next(host: PerftestHost) -> None:
    for number in range(3):
        host.adapter(number)
    report = host.measure()
    assert report.devices == {f"mlx5_{number}": device(number) for number in range(3)}
    assert report.runs == both((0, 1), (1, 2), (2, 0))
    first = [f"{tool} {OPTIONS[tool]} -d {end}" for tool in (BW, LAT) for end in ("mlx5_1", "mlx5_0 127.0.0.1")]
    assert host.calls[:4] == first


def test_roce_sends_from_its_gid_and_within_its_network(host: PerftestHost) -> None:
    for number, interface in enumerate(("ens1", "ens2", "ens3", "ens9")):
        host.adapter(number, interface=interface)
    report = host.measure()
    assert report.runs == both((0, 1), (1, 0))
    assert report.left == {
        "mlx5_2": "no second device is on its network (Ethernet/10.3.0.0/24)",
        "mlx5_3": "the host is reached by it",
    }
    assert host.calls[:2] == [f"{BW} {OPTIONS[BW]} -d mlx5_1 -x 3", f"{BW} {OPTIONS[BW]} -d mlx5_0 -x 3 127.0.0.1"]


def test_networks_are_kept_apart(host: PerftestHost) -> None:
    host.adapter(0)
    host.adapter(1, **{"gids/0": "fe80:0000:0000:0001:a088:c203:00ab:0001"})
    host.adapter(2, interface="ens1")
    report = host.measure()
    assert report.runs == []
    alone = "no second device is on its network"
    assert report.left == {
        "mlx5_0": f"{alone} (InfiniBand/fe80:0000:0000:0000)",
        "mlx5_1": f"{alone} (InfiniBand/fe80:0000:0000:0001)",
        "mlx5_2": f"{alone} (Ethernet/10.1.0.0/24)",
    }


def test_what_cannot_be_measured_is_named(host: PerftestHost) -> None:
    host.adapter(0, state="1: DOWN")
    host.adapter(1, interface="ens1", **{"gid_attrs/types/3": "IB/RoCE v1"})
    report = host.measure()
    assert (report.runs, report.left) == (
        [],
        {"mlx5_0": "its port is DOWN", "mlx5_1": "it has no GID of RoCE v2 with an IPv4 address"},
    )


def test_virtual_functions_and_bridges_of_nvlink_are_left_out(host: PerftestHost) -> None:
    for number in range(4):
        host.adapter(number)
    (host.root / "sys/class/infiniband/mlx5_1/device/physfn").touch()
    (host.root / "sys/class/infiniband/mlx5_2/device/vpd").write_bytes(b"\x82\x00SW_MNG\x00")
    assert host.measure().runs == both((0, 3), (3, 0))
    assert list(host.measure(devices=["mlx5_1"]).devices) == ["mlx5_1"]


def test_named_devices_alone(host: PerftestHost) -> None:
    for number in range(3):
        host.adapter(number, interface="ens9")
    report = host.measure(devices=["mlx5_2", "mlx5_9"])
    assert list(report.devices) == ["mlx5_2"]
    assert report.left == {"mlx5_2": "no second device is on its network (Ethernet/mlx5_2)"}


def test_a_path_that_does_not_work(host: PerftestHost) -> None:
    host.adapter(0)
    host.adapter(1)
    (host.root / "no path from mlx5_0").touch()
    lost = "Completion with error at client; Failed status 12: wr_id 0 syndrom 0x81; scnt=128, ccnt=0; "
    lost += "Failed to complete run_iter_bw function successfully"
    failed = [SpeedRun(tool, "mlx5_0", "mlx5_1", complaint=lost) for tool in (BW, LAT)]
    assert host.measure().runs == [*failed, *both((1, 0))]


def test_a_side_that_does_not_start(host: PerftestHost) -> None:
    host.adapter(0)
    host.adapter(1)
    (host.root / "no server on mlx5_1").touch()
    why = "Did not detect devices; If device exists, check if driver is up; Unable to find the Infiniband/RoCE device"
    failed = [SpeedRun(tool, "mlx5_0", "mlx5_1", complaint=why) for tool in (BW, LAT)]
    assert host.measure().runs == [*failed, *both((1, 0))]


def test_gpu_memory_is_that_of_the_nearest_gpu(host: PerftestHost) -> None:
    host.adapter(0)
    host.adapter(1)
    for path in ("0000:10:01.0/0000:31:00.0", "0000:11:01.0/0000:30:00.0"):
        host.pci(path, "10de", "2330", "030200")
    (host.root / "cuda").touch()
    report = host.measure(memory="gpu")
    assert (report.has_cuda, report.runs) == (None, both((0, 1), (1, 0)))
    first = [f"{BW} {OPTIONS[BW]} -d mlx5_1 --use_cuda=0", f"{BW} {OPTIONS[BW]} -d mlx5_0 --use_cuda=1 127.0.0.1"]
    assert host.calls[:3] == [*first, f"{LAT} {OPTIONS[LAT]} -d mlx5_1"]


def test_perftest_without_cuda_measures_latency_alone(host: PerftestHost) -> None:
    host.adapter(0)
    host.adapter(1)
    report = host.measure(memory="gpu")
    assert (report.has_cuda, [run.tool for run in report.runs]) == (False, [LAT, LAT])


def test_no_run_begins_after_the_limit(host: PerftestHost) -> None:
    host.adapter(0)
    host.adapter(1)
    late = [SpeedRun(tool, "mlx5_0", "mlx5_1", complaint="no run, as the time was up") for tool in (BW, LAT)]
    assert host.measure(limit=0).runs[:2] == late


def test_no_perftest(host: PerftestHost) -> None:
    (host.root / "bin" / LAT).unlink()
    host.adapter(0)
    assert host.measure() == SpeedReport(has_perftest=False)


def test_no_device(host: PerftestHost) -> None:
    assert host.measure() == SpeedReport()
