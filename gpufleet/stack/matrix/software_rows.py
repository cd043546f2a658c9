"""Rows about what runs on the driver: CUDA, NCCL, DCGM, GDRCopy, container runtime, Kubernetes."""

from __future__ import annotations

import datetime
from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from gpufleet.stack.matrix.rows import Arch, Minor, Packaging, Row, SystemKey, Text, Version
from gpufleet.stack.versions import minor, numbers


class CudaMajor(Row):
    """The window in which toolkits of one CUDA major run on drivers older than the one they came with."""

    key: ClassVar[tuple[str, ...]] = ("major",)
    noun: ClassVar[str] = "cuda major"

    major: int
    #: Hard floor: older branches refuse every program of this major.
    floor: int
    #: First branch after the window of minor-version compatibility; None for the newest major.
    window_end: int | None = None


class Cuda(Row):
    """One CUDA toolkit."""

    key: ClassVar[tuple[str, ...]] = ("version",)
    noun: ClassVar[str] = "cuda"

    version: Minor
    #: Driver that its first release came with; older ones of the window run it in minor-version compatibility.
    minimum_driver: Version
    #: The same by update: `12.9.1: 575.57.08`.
    updates: dict[Version, Version] = Field(default_factory=dict)
    toolkit: Text
    compat: Text
    #: Systems NVIDIA builds it for.
    systems: tuple[SystemKey, ...]
    #: Name of the distribution's own packages of this version, by system.
    distribution: dict[SystemKey, Text] = Field(default_factory=dict)
    architectures: tuple[Arch, ...] = ("x86_64", "aarch64")

    def driver_of(self, version: str) -> str:
        """Return the driver that this release or an update of it (`12.9.1`) came with; cuda-compat has its version."""
        return self.updates.get(version, self.minimum_driver)


class Nccl(Row):
    """One build of NCCL: the package version is `<version>-1+cuda<cuda>`."""

    key: ClassVar[tuple[str, ...]] = ("version", "cuda")
    noun: ClassVar[str] = "nccl"

    version: Version
    cuda: Minor
    #: Oldest branch whose driver can load it.
    minimum_branch: int
    #: Package versions of the distribution's own build, by system.
    distribution: dict[SystemKey, Text] = Field(default_factory=dict)

    @property
    def package_version(self) -> str:
        """The version of libnccl2, libnccl-dev (deb), libnccl and libnccl-devel (rpm) in NVIDIA's repository."""
        return f"{self.version}-1+cuda{self.cuda}"


class DcgmMajor(Row):
    """One major of DCGM: names and what it runs with. `{cuda}` in names stands for a CUDA major of the driver."""

    key: ClassVar[tuple[str, ...]] = ("major",)
    noun: ClassVar[str] = "dcgm major"

    major: int
    packages: tuple[Text, ...]
    #: Packages for profiling that NVIDIA does not publish as source, wanted beside the others.
    proprietary: tuple[Text, ...] = ()
    #: CUDA majors of drivers it supports.
    cuda_majors: tuple[int, ...]
    minimum_branch: int
    unit: Text = "nvidia-dcgm.service"
    #: Packages of other majors that must not lie beside it.
    unwanted: tuple[Text, ...] = ()


class DcgmRelease(Row):
    """One release of DCGM; `cuda_majors` are those it has packages for."""

    key: ClassVar[tuple[str, ...]] = ("version",)
    noun: ClassVar[str] = "dcgm"

    version: Version
    cuda_majors: tuple[int, ...]
    released: datetime.date | None = None


class Gdrcopy(Row):
    """One release of GDRCopy."""

    key: ClassVar[tuple[str, ...]] = ("version",)
    noun: ClassVar[str] = "gdrcopy"

    version: Version
    minimum_branch: int
    deb: tuple[Text, ...]
    rpm: tuple[Text, ...]
    released: datetime.date | None = None


class Repository(Row):
    """A vendor's package repository; `path` is below `base_url`, which an operator may replace."""

    key: ClassVar[tuple[str, ...]] = ("name", "system", "arch")
    noun: ClassVar[str] = "repository"

    name: Literal["cuda", "nvidia-container-toolkit", "kubernetes", "doca", "docker"]
    system: SystemKey
    arch: Arch
    packaging: Packaging
    base_url: Annotated[str, StringConstraints(pattern=r"^https://.+/$")]
    path: Annotated[str, StringConstraints(pattern=r"^[^/].*/$")]
    #: Suites and components of a repository of apt that has some.
    suites: tuple[Text, ...] = ()
    components: tuple[Text, ...] = ()
    #: What the vendor signs for dnf; apt trusts signed indexes in any case.
    signed: Literal["packages", "metadata"] = "packages"
    #: File name of the signing key beside the packages, and its OpenPGP fingerprint; empty where nobody could read it,
    #: so that an operator must give it.
    key_file: Text
    fingerprint: Annotated[str, StringConstraints(pattern=r"^([0-9A-F]{40})?$")]


class Toolkit(Row):
    """One release of the NVIDIA container toolkit."""

    key: ClassVar[tuple[str, ...]] = ("version",)
    noun: ClassVar[str] = "toolkit"

    version: Version
    #: Oldest driver branch and containerd series it works with.
    minimum_branch: int
    minimum_containerd: Minor
    released: datetime.date | None = None


class Kubernetes(Row):
    """One minor version of Kubernetes."""

    key: ClassVar[tuple[str, ...]] = ("version",)
    noun: ClassVar[str] = "kubernetes"

    version: Minor
    released: datetime.date
    end_of_life: datetime.date
    #: Oldest kubelet that an API server of this version works with; a newer kubelet than the server never does.
    oldest_kubelet: Minor
    #: Oldest release of each containerd series that the containerd project tested with it.
    containerd: tuple[Version, ...] = Field(min_length=1)

    @property
    def minimum_containerd(self) -> str:
        """The oldest containerd of any series."""
        return min(self.containerd, key=numbers)

    def containerd_of(self, series: str) -> str | None:
        """Return the oldest release of a containerd series (`2.1`) for it, None where the series is not for it."""
        return next((version for version in self.containerd if minor(version) == series), None)
