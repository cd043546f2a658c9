"""The compatibility matrix: all rows, and the questions that they alone can answer."""

from __future__ import annotations

import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from gpufleet.stack.matrix import containerd_rows as runtime
from gpufleet.stack.matrix import driver_rows as drivers
from gpufleet.stack.matrix import rdma_rows as rdma
from gpufleet.stack.matrix import software_rows as software
from gpufleet.stack.matrix.rows import Arch, Flavor, Origin, Packaging, Profile, Row
from gpufleet.stack.versions import branch, minor, numbers


class Matrix(BaseModel):
    """Every subject's rows. Questions about what no row covers are answered by None or nothing, never by a guess."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    branches: tuple[drivers.Branch, ...] = ()
    releases: tuple[drivers.Release, ...] = ()
    generations: tuple[drivers.GpuGeneration, ...] = ()
    gpu_ranges: tuple[drivers.GpuRange, ...] = ()
    gpu_products: tuple[drivers.GpuProduct, ...] = ()
    schemes: tuple[drivers.Scheme, ...] = ()
    companions: tuple[drivers.CompanionPackage, ...] = ()
    kernels: tuple[drivers.KernelRange, ...] = ()
    repositories: tuple[software.Repository, ...] = ()
    cuda_majors: tuple[software.CudaMajor, ...] = ()
    cuda: tuple[software.Cuda, ...] = ()
    nccl: tuple[software.Nccl, ...] = ()
    dcgm_majors: tuple[software.DcgmMajor, ...] = ()
    dcgm: tuple[software.DcgmRelease, ...] = ()
    gdrcopy: tuple[software.Gdrcopy, ...] = ()
    ofed: tuple[rdma.Ofed, ...] = ()
    rdma_stacks: tuple[rdma.RdmaStack, ...] = ()
    toolkit: tuple[software.Toolkit, ...] = ()
    containerd: tuple[runtime.Containerd, ...] = ()
    containerd_releases: tuple[runtime.ContainerdRelease, ...] = ()
    containerd_packages: tuple[runtime.ContainerdPackages, ...] = ()
    kubernetes: tuple[software.Kubernetes, ...] = ()

    @property
    def rows(self) -> tuple[Row, ...]:
        """Every row of every subject."""
        return tuple(row for subject in type(self).model_fields for row in getattr(self, subject))

    def branch(self, number: int) -> drivers.Branch | None:
        """Return the row of a driver branch."""
        return next((row for row in self.branches if row.branch == number), None)

    def branch_of(self, version: str) -> drivers.Branch | None:
        """Return the row of the branch that a driver version belongs to."""
        return self.branch(branch(version))

    def releases_of(self, number: int) -> tuple[drivers.Release, ...]:
        """Return the releases of a branch, oldest first."""
        found = [row for row in self.releases if row.branch == number]
        return tuple(sorted(found, key=lambda row: numbers(row.version)))

    def newest_release(self, number: int) -> drivers.Release | None:
        """Return the newest release of a branch."""
        return next(reversed(self.releases_of(number)), None)

    def release(self, version: str) -> drivers.Release | None:
        """Return the row of one driver release, None for one that is written otherwise: packages are found by text."""
        return next((row for row in self.releases if row.version == version), None)

    def generation(self, name: str) -> drivers.GpuGeneration | None:
        """Return the row of a generation of GPUs."""
        return next((row for row in self.generations if row.generation == name), None)

    def generation_of(self, device_id: str) -> drivers.GpuGeneration | None:
        """Return the generation of a GPU by PCI device id, None for one that no range holds."""
        device = int(device_id, 16)
        found = next((row.generation for row in self.gpu_ranges if device in row), None)
        return self.generation(found) if found else None

    def product(self, device_id: str) -> drivers.GpuProduct | None:
        """Return a data-center GPU by PCI device id."""
        device = int(device_id, 16)
        return next((row for row in self.gpu_products if row.id == device), None)

    def scheme(
        self,
        system: str,
        origin: Origin,
        number: int,
        flavor: Flavor,
        profile: Profile,
        modules: Literal["dkms", "precompiled"] = "dkms",
    ) -> drivers.Scheme | None:
        """Return the packages of a driver branch on a system (`ubuntu-24.04`); None where nobody packages it so."""
        for row in self.schemes:
            cell = (row.origin, row.flavor, row.profile, row.modules)
            if cell == (origin, flavor, profile, modules) and system in row.systems and number in row.branches:
                return row
        return None

    def pinning(self, row: drivers.Scheme, version: str) -> str:
        """Return the template of the package that pins a version: the exact one where it exists, else the branch's."""
        release = self.release(version)
        return row.exact_pinning if release and release.pin and row.exact_pinning else row.pinning

    def companion(
        self, component: drivers.Companion, packaging: Packaging, number: int, arch: Arch = "x86_64"
    ) -> drivers.CompanionPackage | None:
        """Return how a companion of the driver is called on this branch; None where it does not exist."""
        for row in self.companions:
            same = (row.component, row.packaging) == (component, packaging)
            if same and number in row.branches and arch in row.architectures:
                return row
        return None

    def kernels_for(self, version: str, system: str) -> tuple[drivers.KernelRange, ...]:
        """Return the rows that say on which kernels a driver release builds on a system; none where unknown."""
        return tuple(
            row
            for row in self.kernels
            if branch(version) in row.branches
            and (not row.systems or system in row.systems)
            and (not row.from_release or numbers(row.from_release) <= numbers(version))
        )

    def repository(self, name: str, system: str, arch: str) -> software.Repository | None:
        """Return a vendor's repository for a system and architecture."""
        wanted = (name, system, arch)
        return next((row for row in self.repositories if (row.name, row.system, row.arch) == wanted), None)

    def cuda_toolkit(self, version: str) -> software.Cuda | None:
        """Return the row of a toolkit, by minor version or update: `13.0`, `12.9.1`."""
        return next((row for row in self.cuda if row.version == minor(version)), None)

    def cuda_major(self, major: int) -> software.CudaMajor | None:
        """Return the hard floor and window of a CUDA major."""
        return next((row for row in self.cuda_majors if row.major == major), None)

    def nccl_builds(self, version: str) -> tuple[software.Nccl, ...]:
        """Return the builds of one NCCL version, oldest CUDA first."""
        found = [row for row in self.nccl if row.version == version]
        return tuple(sorted(found, key=lambda row: numbers(row.cuda)))

    def dcgm_major(self, major: int) -> software.DcgmMajor | None:
        """Return the names of one major of DCGM."""
        return next((row for row in self.dcgm_majors if row.major == major), None)

    def dcgm_release(self, version: str) -> software.DcgmRelease | None:
        """Return one release of DCGM."""
        return next((row for row in self.dcgm if numbers(row.version) == numbers(version)), None)

    def gdrcopy_release(self, version: str) -> software.Gdrcopy | None:
        """Return one release of GDRCopy."""
        return next((row for row in self.gdrcopy if numbers(row.version) == numbers(version)), None)

    def ofed_release(self, version: str) -> rdma.Ofed | None:
        """Return one release of NVIDIA's network stack, or the distribution's own, `inbox`."""
        return next((row for row in self.ofed if row.version == version), None)

    def rdma_stack(self, kind: rdma.OfedKind, packaging: Packaging) -> rdma.RdmaStack | None:
        """Return the packages of a network stack."""
        return next((row for row in self.rdma_stacks if (row.kind, row.packaging) == (kind, packaging)), None)

    def toolkit_release(self, version: str) -> software.Toolkit | None:
        """Return one release of the NVIDIA container toolkit."""
        return next((row for row in self.toolkit if numbers(row.version) == numbers(version)), None)

    def containerd_series(self, version: str) -> runtime.Containerd | None:
        """Return the series of a containerd version: that of 2.1 for `2.1.5`."""
        return next((row for row in self.containerd if row.series == minor(version)), None)

    def containerd_release(self, origin: str, version: str) -> runtime.ContainerdRelease | None:
        """Return one packaged release of containerd."""
        return next((row for row in self.containerd_releases if (row.origin, row.version) == (origin, version)), None)

    def containerd_package_names(
        self, origin: str, packaging: Packaging, system: str
    ) -> runtime.ContainerdPackages | None:
        """Return the packages of containerd for a system; None where this origin has none in this format."""
        rows = [row for row in self.containerd_packages if (row.origin, row.packaging) == (origin, packaging)]
        named = (row for row in rows if system in row.systems)
        return next(named, next((row for row in rows if not row.systems), None))

    def kubernetes_minor(self, version: str) -> software.Kubernetes | None:
        """Return the minor version of a kubelet or API server: that of 1.34 for `1.34.2`."""
        return next((row for row in self.kubernetes if row.version == minor(version)), None)


def ended(end_of_life: datetime.date | None, day: datetime.date) -> bool:
    """Tell whether support has ended before a day; a row without an end has not."""
    return end_of_life is not None and end_of_life < day
