"""Whether adapters reach GPU memory as the role gpudirect chose: seen registered, missing, and not to be told."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.check_runs import Answer, outcomes
from tests.verify import test_gpudirect as module

UNIT = "gpufleet-gpudirect.service"
CHECK = "path_is_registered"
OPEN: dict[str, Any] = {"nvidia_driver": {"version": "580.105.08"}, "gpudirect": {}}
PROPRIETARY: dict[str, Any] = {
    "nvidia_driver": {"version": "580.105.08", "flavor": "proprietary"},
    "gpudirect": {},
    "infiniband": {"provider": "inbox"},
}
ANSWERS: dict[str, Any] = {
    "machine": [
        "os ID=ubuntu",
        "os VERSION_ID=24.04",
        "arch x86_64",
        "kernel 6.8.0-60-generic",
        "pci 0000:18:00.0 0x15b3 0x1021 0x020700",
        "pci 0000:19:00.0 0x10de 0x2330 0x030200",
    ],
    "packages": "",
    "held": "",
    "loaded": "580.105.08",
    "modules": ["ib_core", "nvidia"],
    "reboot": "",
    f"unit {UNIT}": ["LoadState=not-found", "ActiveState=inactive", "UnitFileState=", "After=", "Before="],
    f"own files {UNIT}": "",
    "kernel": "6.8.0-60-generic",
    "dkms": "",
    "device": "",
    "RDMA devices": "mlx5_0",
    "clients": "",
    "functions": ["ib_umem_dmabuf_get", "nv_dma_buf_export"],
}
PEER: dict[str, Any] = {
    "modules": ["ib_core", "nvidia", "nvidia_peermem"],
    f"unit {UNIT}": [
        "LoadState=loaded",
        "ActiveState=active",
        "UnitFileState=enabled",
        f"After={' '.join(module.AFTER)}",
        f"Before={' '.join(module.BEFORE)}",
    ],
    "functions": "",
}
HOLDER = "/sys/module/ib_core/holders/nvidia_peermem"


def failing(data: dict[str, Any], **changes: Any) -> dict[str, str]:
    return outcomes(module, {**ANSWERS, **changes}, data, Answer())


def test_dma_buf_on_both_sides() -> None:
    assert failing(OPEN) == {}


@pytest.mark.parametrize("client", [HOLDER, "/sys/kernel/mm/memory_peers/nv_mem"])
def test_peer_memory_is_registered(client: str) -> None:
    assert failing(PROPRIETARY, **PEER, clients=client) == {}


@pytest.mark.parametrize(
    ("data", "changes", "message"),
    [
        (
            OPEN,
            {"functions": "nv_dma_buf_export"},
            "path of GPUDirect: expected DMA-BUF on both sides, found no ib_umem_dmabuf_get of ib_uverbs",
        ),
        (
            OPEN,
            {"functions": ""},
            "path of GPUDirect: expected DMA-BUF on both sides, found no ib_umem_dmabuf_get of ib_uverbs, "
            "nv_dma_buf_export of nvidia",
        ),
        (PROPRIETARY, PEER, "path of GPUDirect: expected nvidia_peermem registered, found it not"),
        (OPEN, {"RDMA devices": "", "functions": ""}, "unproven: the kernel shows no RDMA device"),
        (PROPRIETARY, {**PEER, "RDMA devices": ""}, "unproven: the kernel shows no RDMA device"),
    ],
)
def test_a_path_that_is_not_there(data: dict[str, Any], changes: dict[str, Any], message: str) -> None:
    assert failing(data, **changes) == {CHECK: message}


@pytest.mark.parametrize("data", [{}, {**OPEN, "gpudirect": {"rdma": "off"}}])
def test_no_path_is_wanted(data: dict[str, Any]) -> None:
    assert failing(data, functions="") == {}
