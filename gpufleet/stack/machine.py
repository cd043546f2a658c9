"""What a host is, as far as the choice of software depends on it: operating system and hardware, both plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Family = Literal["debian", "ubuntu", "el"]
Arch = Literal["x86_64", "aarch64"]
Platform = Literal[
    "bare-metal", "azure-nd-v4", "azure-nd-v5", "azure-gb-v6", "aws-p4", "aws-p5", "aws-p6", "gcp-a3-high",
    "gcp-a3-mega", "gcp-a3-ultra", "gcp-a4", "cloud",
]  # fmt: skip

#: os-release IDs of RHEL and of the distributions rebuilt from it.
ENTERPRISE_LINUX = frozenset({"rhel", "rocky", "almalinux", "centos"})


@dataclass(frozen=True)
class System:
    """An operating system by os-release ID and version, and the processor architecture as `uname -m` prints it."""

    id: str
    version: str
    arch: str = "x86_64"

    @property
    def family(self) -> Family | None:
        """The family whose package tools and names apply; None for a system gpufleet does not know."""
        if self.id in ENTERPRISE_LINUX:
            return "el"
        return self.id if self.id in ("debian", "ubuntu") else None  # type: ignore[return-value]  # one of two literals

    @property
    def release(self) -> str:
        """The key of this system in the matrix: `debian-12`, `ubuntu-24.04`, `el-9`."""
        return f"el-{self.version.partition('.')[0]}" if self.family == "el" else f"{self.id}-{self.version}"


@dataclass(frozen=True)
class Hardware:
    """The parts of a machine that decide about software."""

    #: PCI device ids of the NVIDIA GPUs, four hexadecimal digits each.
    gpus: tuple[str, ...] = ()
    #: NVSwitches on the host's own PCI bus (NVIDIA, class 0680).
    nvswitches: int = 0
    #: NVLink5 switches behind Mellanox management ports (15b3 with SW_MNG in its VPD).
    nvlink5: bool = False
    #: InfiniBand or RoCE adapters of Mellanox (15b3, class 02).
    rdma_adapters: int = 0
    platform: Platform = "bare-metal"
    #: Whether UEFI Secure Boot is on; None where the firmware does not say.
    secure_boot: bool | None = None
    #: Release of the running kernel, as `uname -r` prints it; empty where it is not known.
    kernel: str = ""
