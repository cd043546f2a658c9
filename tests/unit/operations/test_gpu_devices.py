"""Links and specification of NVIDIA's devices: what has them written anew, and what does not."""

from __future__ import annotations

from typing import Any

import pytest

from gpufleet.containers.gpu_devices import SPECIFICATION, Devices, Links, Specification
from gpufleet.facts.boot import RebootRequired
from gpufleet.facts.gpu_devices import DeviceLinks, GpuDevices, GpuSpecifications
from gpufleet.operations import gpu_devices
from tests.support.plans import plan

UNIT = "gpufleet-nvidia-devices.service"
ANEW = [f"systemctl restart {UNIT} || {{ journalctl --unit {UNIT} --lines 5 --output cat >&2; exit 1; }}"]
AT_BOOT = ["nothing to do: the devices are described at the boot that loads the driver"]
AS_THEY_ARE: dict[Any, Any] = {
    GpuDevices: Devices("580.95.05", ("GPU-0a",)),
    GpuSpecifications: {SPECIFICATION: Specification(("0", "GPU-0a", "all"), "580.95.05")},
    DeviceLinks: Links({"/dev/nvidia0": "195:0"}, {"195:0": "/dev/nvidia0"}),
    RebootRequired: {},
}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ["nothing to do: devices of driver 580.95.05 are described"]),
        ({GpuDevices: Devices("590.48.01", ("GPU-0a",))}, ANEW),
        ({GpuDevices: Devices("580.95.05", ("GPU-0a", "GPU-0b"))}, ANEW),
        ({GpuDevices: Devices("580.95.05", ("MIG-7f",))}, ANEW),
        ({GpuSpecifications: {}}, ANEW),
        ({GpuSpecifications: {"/etc/cdi/nvidia.yaml": Specification(("GPU-0a",), "580.95.05")}}, ANEW),
        ({DeviceLinks: Links({"/dev/nvidia0": "195:0"}, {})}, ANEW),
        ({DeviceLinks: Links({"/dev/nvidia0": "195:0"}, {"195:1": "/dev/nvidia0"})}, ANEW),
        (
            {DeviceLinks: Links({"/dev/nvidia0": "195:0"}, {"195:0": "/run/nvidia/driver/dev/nvidia0"})},
            ["nothing to do: devices of driver 580.95.05 are described"],
        ),
        ({GpuDevices: Devices()}, AT_BOOT),
        ({RebootRequired: {"nvidia-driver": "held by process 7"}, GpuSpecifications: {}}, AT_BOOT),
        ({RebootRequired: {"another": "reason"}, GpuSpecifications: {}}, ANEW),
    ],
)
def test_described(changes: dict[Any, Any], expected: list[str]) -> None:
    _, *lines = plan(lambda: gpu_devices.described(unit=UNIT), {**AS_THEY_ARE, **changes}).splitlines()
    assert [line.strip() for line in lines] == expected
