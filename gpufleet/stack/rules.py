"""Rules that no row of the matrix holds, because they are about the wish as a whole; verdicts name them like rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from gpufleet.stack.verdicts import Level, Verdict


class Row(Protocol):
    """Anything that a verdict may rest on: a row of the matrix or a rule."""

    @property
    def row(self) -> str:
        """How verdicts call it."""
        ...

    @property
    def source(self) -> str:
        """Who says so, and when it was read."""
        ...


@dataclass(frozen=True)
class Rule:
    """One rule and where it comes from."""

    row: str
    source: str


_GUIDE = "NVIDIA driver installation guide 620, 2026-11-09"
_NVSWITCH = (
    "NVIDIA/gpu-driver-container ubuntu24.04/install.sh, awslabs/amazon-eks-ami install-nvidia-driver.sh, 2026-08"
)

WRITTEN = Rule("rule versions", _GUIDE)
MIXED_GPUS = Rule("rule one driver for all GPUs", f"{_GUIDE}, kernel modules")
UNKNOWN_GPU = Rule("rule unknown GPU", "gpufleet/stack/matrix/gpus.yaml")
REPOSITORY = Rule("rule repositories of NVIDIA", "gpufleet/stack/matrix/repositories.yaml")
NO_GPU = Rule("rule no GPU", "PCI ids of the host")
NEEDS_DRIVER = Rule("rule companions need a driver", _NVSWITCH)
SAME_VERSION = Rule(
    "rule one version for driver and companions", "NVIDIA/gpu-operator issue 544, Azure/azhpc-images PR 86"
)
FABRIC = Rule(
    "rule fabric manager follows NVSwitches", f"NVIDIA Fabric Manager user guide 2.3, 2025-05-06; {_NVSWITCH}"
)
FABRIC_NAMES = Rule("rule packages of fabric manager", _NVSWITCH)
HOST_SWITCHES = Rule(
    "rule switches of the machine below", "NVIDIA Fabric Manager user guide 2.3, shared NVSwitch model"
)
TRAY = Rule("rule compute trays", "awslabs/amazon-eks-ami nvidia-fabricmanager-condition.sh, 2026-08")
IMEX = Rule("rule IMEX follows multi-node NVLink", "Azure/azhpc-images and NVIDIA/deepops, GB200 and GB300, 2026-08")
IMEX_NAMES = Rule("rule packages of IMEX", _NVSWITCH)
DCGM_OLD_GPUS = Rule("rule DCGM for the last CUDA major of old GPUs", "NVIDIA/DCGM issue 254, 2026-08")
CUDA_DEFAULT = Rule("rule default toolkit", "CUDA installation guide for Linux, alternatives of /usr/local/cuda")
COMPAT = Rule("rule cuda-compat", "CUDA Compatibility, Forward Compatibility, 2026-09-09")
NCCL_MAJOR = Rule("rule NCCL follows the toolkits", "NVIDIA NCCL installation guide, packages by CUDA version")
NCCL_BUILDS = Rule("rule builds of NCCL", "NVIDIA NCCL installation guide, packages by CUDA version")
EFA = Rule("rule EFA", "awslabs/amazon-eks-ami install-nvidia-driver.sh: nvidia-peermem fails on EFA, 2026-08")
DMA_BUF = Rule("rule DMA-BUF", "NVIDIA GPU Operator documentation, GPUDirect RDMA: open modules and kernel 5.12")
PEERMEM = Rule("rule peermem", "NVIDIA/nccl issue 1939; Azure/azhpc-images, order of OFED and driver, 2026-08")
KUBELET = Rule(
    "rule kubelet skew", "Kubernetes, Version Skew Policy, https://kubernetes.io/releases/version-skew-policy/"
)
CONTAINERD = Rule(
    "rule packages of containerd", "gpufleet/stack/matrix/containerd.yaml; docker/containerd-packaging, read 2026-11-23"
)
TOOLKIT = Rule("rule container toolkit", "gpufleet/stack/matrix/toolkit.yaml, read 2026-11-23")
SYSTEM = Rule("rule known systems", _GUIDE)
PACKAGED = Rule("rule packages of the driver", _GUIDE)
RULES = tuple(value for value in tuple(globals().values()) if isinstance(value, Rule))


def verdict(level: Level, row: Row, *, where: str, expected: str, found: str, cure: str) -> Verdict:
    """Judge a wish by a row or a rule."""
    return Verdict(level, where, expected, found, cure, row.row, row.source)
