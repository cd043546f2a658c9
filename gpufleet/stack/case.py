"""The question that every component answers for itself: one host, one wish, the matrix, and the driver chosen first."""

from __future__ import annotations

from dataclasses import dataclass

from gpufleet.stack.driver_choice import Decision
from gpufleet.stack.gpu_limits import devices
from gpufleet.stack.machine import Hardware, System
from gpufleet.stack.matrix import Matrix
from gpufleet.stack.matrix.rows import Arch, Packaging
from gpufleet.stack.wish import Wish

#: Compute trays of GB200 and GB300: their NVSwitches live in trays of their own, and NVLink spans several hosts.
#: Source: awslabs/amazon-eks-ami, nvidia-fabricmanager-condition.sh, 2026-08.
TRAYS = frozenset({"2941", "31c2", "31c3"})


@dataclass(frozen=True)
class Case:
    """Everything that a component's share depends on."""

    hardware: Hardware
    system: System
    wish: Wish
    matrix: Matrix
    driver: Decision

    @property
    def devices(self) -> tuple[str, ...]:
        """The different GPUs of the host by PCI device id, in lower case."""
        return devices(self.hardware)

    @property
    def matrix_branches(self) -> tuple[int, ...]:
        """The branches that the matrix knows releases of, oldest first."""
        return tuple(sorted({row.branch for row in self.matrix.releases}))

    @property
    def packaging(self) -> Packaging:
        """The package format of the system."""
        return "rpm" if self.system.family == "el" else "deb"

    @property
    def arch(self) -> Arch:
        """The architecture as the matrix writes it; what is neither has no packages, so it does not matter."""
        return "aarch64" if self.system.arch == "aarch64" else "x86_64"

    @property
    def branch(self) -> int:
        """The driver's branch, 0 where the wish names none."""
        return self.driver.branch or 0

    @property
    def has_driver(self) -> bool:
        """Whether the host gets a driver, so that what needs one can be had."""
        return bool(self.driver.version)

    @property
    def tray(self) -> bool:
        """Whether the host is a compute tray of GB200 or GB300."""
        return bool(TRAYS & set(self.devices))

    @property
    def kernel(self) -> str:
        """The kernel that the wish names, else the running one; empty where neither is known."""
        return self.wish.kernel or self.hardware.kernel
