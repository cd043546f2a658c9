"""Errors of ports since the host started, and devices beside the fabric's plan: seen passing and failing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gpufleet.facts.rdma import RdmaDevice, RdmaPort
from gpufleet.inventory.hosts import InventoryHost
from tests.support.check_runs import Answer, outcomes
from tests.unit.roles.test_infiniband_checks import DATA, GOOD, OPTIONS
from tests.verify import test_infiniband as module
from tests.verify.infiniband_ports import other_devices

COUNTERS = "/sys/class/infiniband/{}/ports/1/counters/{}:{}"
CURE = "see to the cable; `perfquery -R` starts anew after a repair"
PLAN = """\
speed: NDR
switches:
  leaf-01: {role: leaf, rail: 1}
hosts:
  gpu-07: {mlx5_0: {rail: 1, guid: 0xa088c20300ab0001}, mlx5_1: {rail: 1}}
links:
  leaf-01: {1: gpu-07 mlx5_0, 2: gpu-07 mlx5_1}
"""


def counted(hours: float, **counters: int) -> dict[str, Any]:
    """The counters of mlx5_1 some hours after the start."""
    rows = [COUNTERS.format("mlx5_1", name, value) for name, value in counters.items()]
    return {"counters": [f"uptime {hours * 3600}", *rows]}


def failing(changes: dict[str, Any], **options: Any) -> dict[str, str]:
    return outcomes(module, {**GOOD, **changes}, {"infiniband": {**OPTIONS, **options}}, Answer())


@pytest.mark.parametrize(
    ("changes", "options", "found"),
    [
        (counted(0.1, symbol_error=10), {}, ""),
        (counted(0.1, symbol_error=11), {}, "mlx5_1/1: 11 of SymbolErrorCounter within 1.0 h"),
        (counted(24, symbol_error=240), {}, ""),
        (counted(24, symbol_error=241), {}, "mlx5_1/1: 241 of SymbolErrorCounter within 24.0 h"),
        (counted(24, link_downed=1), {}, ""),
        (counted(24, link_downed=3), {}, "mlx5_1/1: 2 of LinkDownedCounter within 24.0 h"),
        (counted(24, link_downed=3), {"counters": {"LinkDownedCounter": 1}}, ""),
        (
            counted(2, port_rcv_errors=30, VL15_dropped=300),
            {"counters": {"PortRcvErrors": 5}},
            "mlx5_1/1: 30 of PortRcvErrors within 2.0 h, mlx5_1/1: 300 of VL15Dropped within 2.0 h",
        ),
    ],
)
def test_errors_since_the_start(changes: dict[str, Any], options: dict[str, Any], found: str) -> None:
    said = {"ports_have_few_errors": f"errors of ports: expected few an hour, found {found}; {CURE}"}
    assert failing(changes, **options) == (said if found else {})


def test_a_port_without_a_link_is_not_judged() -> None:
    down = "\n".join(GOOD["devices"]).replace("mlx5_1|1|InfiniBand|4: ACTIVE", "mlx5_1|1|InfiniBand|1: DOWN")
    assert failing({**counted(1, symbol_error=65535), "devices": down}, ports={}) == {}


@pytest.mark.parametrize(
    ("guids", "found"),
    [
        ({"mlx5_0": "a088:c203:00ab:0001", "mlx5_1": "a088:c203:00ab:0002"}, []),
        (
            {"mlx5_0": "a088:c203:00ab:0009", "mlx5_1": "a088:c203:00ab:0002"},
            ["mlx5_0: expected GUID 0xa088c20300ab0001, found 0xa088c20300ab0009"],
        ),
        ({"mlx5_0": "a088:c203:00ab:0001"}, ["mlx5_1: expected this device, found none"]),
        ({"mlx5_0": "", "mlx5_1": ""}, ["mlx5_0: expected GUID 0xa088c20300ab0001, found 0x0000000000000000"]),
    ],
)
@pytest.mark.parametrize("name", ["fabric.yaml", "east.yaml"])
def test_devices_beside_the_plan(tmp_path: Path, name: str, guids: dict[str, str], found: list[str]) -> None:
    (tmp_path / name).write_text(PLAN)
    data = {} if name == "fabric.yaml" else {"fabric": name}
    devices = [RdmaDevice(device, "0000:18:00.0", guid, ports=(RdmaPort(1),)) for device, guid in guids.items()]
    assert other_devices(InventoryHost("gpu-07", "ssh", (), data, folder=tmp_path), devices) == found
    assert other_devices(InventoryHost("gpu-08", "ssh", (), data, folder=tmp_path), devices) == []


def test_the_check_of_the_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fabric.yaml").write_text(PLAN)
    assert outcomes(module, GOOD, DATA, Answer()) == {}
    other = "\n".join(GOOD["devices"]).replace("00ab:0001", "00ab:0009")
    assert failing({"devices": other}) == {
        "devices_are_those_of_the_fabrics_plan": "mlx5_0: expected GUID 0xa088c20300ab0001, "
        "found 0xa088c20300ab0009; correct the plan, or look for an adapter that was exchanged"
    }
    silent = failing({"devices": ""}, ports={})
    assert silent["devices_are_those_of_the_fabrics_plan"] == "unproven: the kernel shows no RDMA device"
