"""What makes one build of the driver's kernel modules fit a host, and no other."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class ModuleKey:
    """Hosts that share all five can share one build."""

    #: System as the matrix names it (`debian-12`, `el-9`), and `uname -m`.
    release: str
    arch: str
    #: Release of the kernel, as `uname -r` prints it.
    kernel: str
    #: Upstream version and flavor of the driver.
    driver: str
    flavor: str

    def __str__(self) -> str:
        return f"driver {self.driver} ({self.flavor}) for kernel {self.kernel} on {self.release} {self.arch}"

    @property
    def manifest(self) -> str:
        """Path of the manifest below the repository, made of the key alone: a host needs no index to find it."""
        return f"{self.release}/{self.arch}/{self.kernel}/nvidia-{self.driver}-{self.flavor}.json"
