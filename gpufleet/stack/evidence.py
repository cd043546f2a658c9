"""The row of the matrix that each part of a resolution rests on, found again by what was chosen."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gpufleet.stack.machine import System
from gpufleet.stack.matrix import Matrix
from gpufleet.stack.matrix.driver_rows import Scheme
from gpufleet.stack.matrix.rows import Row
from gpufleet.stack.resolution import DriverChoice, Package, Unpacked
from gpufleet.stack.skew import bare
from gpufleet.stack.wish import Wish

_TOOLKIT = re.compile(r"cuda-toolkit-(\d+)-(\d+)")
_BUILD = re.compile(r"(?P<version>[\d.]+)-[^+]*\+cuda(?P<cuda>[\d.]+)")


@dataclass(frozen=True)
class Evidence:
    """The rows behind one resolution."""

    matrix: Matrix
    system: System
    wish: Wish
    driver: DriverChoice | None

    def release(self) -> Row | None:
        """Return the row of the driver's release, or else of its branch."""
        if self.driver is None:
            return None
        return self.matrix.release(self.driver.version.partition("-")[0]) or self.matrix.branch(self.driver.branch)

    def repository(self, name: str) -> Row | None:
        """Return the row of a vendor's repository."""
        return self.matrix.repository(name, self.system.release, self.system.arch)

    def package(self, package: Package | Unpacked) -> Row | None:  # noqa: PLR0911 - a table of kinds
        """Return the row that names the package or its version; None for what no single row decides."""
        match package.component:
            case "driver" | "persistenced":
                return self._scheme()
            case "fabric_manager" | "nscq" | "nvsdm" | "nvlsm" | "imex":
                return self._companion(package)
            case "cuda":
                toolkit = _TOOLKIT.fullmatch(package.name)
                return self.matrix.cuda_toolkit(".".join(toolkit.groups())) if toolkit else None
            case "nccl":
                return self._build(package.version)
            case "dcgm" if package.version:
                return self.matrix.dcgm_release(package.version)
            case "containerd":
                origin = self.wish.containerd_source or ""
                release = package.version.partition("~")[0]
                return self.matrix.containerd_release(origin, release) or self.matrix.containerd_package_names(
                    origin, "rpm" if self.system.family == "el" else "deb", self.system.release
                )
            case "toolkit":
                return self.matrix.toolkit_release(package.version)
            case "kubernetes":
                return self.matrix.kubernetes_minor(bare(self.wish.kubernetes) or "0.0")
            case "rdma":
                return self.matrix.ofed_release(package.version or "inbox")
            case "gdrcopy" if package.version:
                return self.matrix.gdrcopy_release(package.version)
        return None

    def _scheme(self) -> Scheme | None:
        if self.driver is None:
            return None
        origin, number, flavor = self.driver.source, self.driver.branch, self.driver.flavor
        find = self.matrix.scheme
        wished = find(self.system.release, origin, number, flavor, self.wish.profile, self.wish.modules)
        return wished or find(self.system.release, origin, number, flavor, self.wish.profile, "dkms")

    def _companion(self, package: Package | Unpacked) -> Row | None:
        number = self.driver.branch if self.driver else 0
        packaging = "rpm" if self.system.family == "el" else "deb"
        for row in self.matrix.companions:
            same = (row.component, row.packaging) == (package.component, packaging)
            if same and number in row.branches and self.system.arch in row.architectures:
                return row
        return None

    def _build(self, version: str) -> Row | None:
        build = _BUILD.fullmatch(version)
        rows = self.matrix.nccl_builds(build["version"]) if build else ()
        return next((row for row in rows if build and row.cuda == build["cuda"]), None)
