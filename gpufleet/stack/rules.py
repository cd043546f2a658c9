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
UNKNOWN_GPU = Rule("rule unknown GPU", "gpufleet/stack/gpus.yaml")
NO_GPU = Rule("rule no GPU", "PCI ids of the host")
NEEDS_DRIVER = Rule("rule companions need a driver", _NVSWITCH)
SAME_VERSION = Rule(
    "rule one version for driver and companions", "NVIDIA/gpu-operator issue 544, Azure/azhpc-images PR 86"
)
SYSTEM = Rule("rule known systems", _GUIDE)
PACKAGED = Rule("rule packages of the driver", _GUIDE)
RULES = (WRITTEN, MIXED_GPUS, UNKNOWN_GPU, NO_GPU, NEEDS_DRIVER, SAME_VERSION, SYSTEM, PACKAGED)


def verdict(level: Level, row: Row, *, where: str, expected: str, found: str, cure: str) -> Verdict:
    """Judge a wish by a row or a rule."""
    return Verdict(level, where, expected, found, cure, row.row, row.source)
