"""Rows about the driver: branches, releases, GPU generations, packages, companions, kernels."""

from __future__ import annotations

import datetime
from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from gpufleet.stack.matrix.rows import (
    Arch,
    BranchRange,
    DeviceId,
    Flavor,
    Generation,
    Minor,
    Origin,
    Packaging,
    Profile,
    Row,
    SystemKey,
    Text,
    Version,
)
from gpufleet.stack.versions import numbers

BranchKind = Literal["LTSB", "production", "new feature"]
Companion = Literal["fabric_manager", "nscq", "nvsdm", "nvlsm", "imex"]
#: nvswitch: NVSwitches on the host's PCI bus; nvlink5: switches behind SW_MNG ports; multi-node: GB200 and GB300.
Need = Literal["nvswitch", "nvlink5", "multi-node"]


class Branch(Row):
    """A driver branch and its life."""

    key: ClassVar[tuple[str, ...]] = ("branch",)
    noun: ClassVar[str] = "branch"

    branch: int
    kind: BranchKind
    first_release: datetime.date
    #: Last day of support; None where NVIDIA has named none yet.
    end_of_life: datetime.date | None
    #: Newest CUDA version that the driver itself brings.
    cuda: Minor
    flavors: tuple[Flavor, ...]


class Release(Row):
    """One released version of a branch; `released` is None where no source gives the day."""

    key: ClassVar[tuple[str, ...]] = ("version",)
    noun: ClassVar[str] = "release"

    branch: int
    version: Version
    released: datetime.date | None = None
    #: Whether NVIDIA's apt repositories have a package that pins exactly this version.
    pin: bool = False


class GpuGeneration(Row):
    """What one generation of GPUs asks of a driver and of CUDA."""

    key: ClassVar[tuple[str, ...]] = ("generation",)
    noun: ClassVar[str] = "generation"

    generation: Generation
    first_branch: int
    #: Last branch that drives it; None while it is current.
    last_branch: int | None = None
    open_modules: Literal["required", "supported", "impossible"]
    #: First branch whose open modules drive it, and the first that NVIDIA's installers choose them in.
    open_from: int | None = None
    open_default_from: int | None = None
    #: First toolkit that compiles for it and the last major that does.
    first_cuda: Minor
    last_cuda_major: int | None = None


class GpuRange(Row):
    """PCI device ids, both ends included, whose GPUs are of one generation."""

    key: ClassVar[tuple[str, ...]] = ("first",)
    noun: ClassVar[str] = "range"

    first: DeviceId
    last: DeviceId
    generation: Generation
    chips: Text

    def __contains__(self, device: int) -> bool:
        return self.first <= device <= self.last

    @property
    def identity(self) -> tuple[str, ...]:
        """The first id, four hexadecimal digits as lspci prints it."""
        return (f"{self.first:04x}",)


class GpuProduct(Row):
    """One data-center GPU."""

    key: ClassVar[tuple[str, ...]] = ("id",)
    noun: ClassVar[str] = "product"

    id: DeviceId
    name: Text
    generation: Generation

    @property
    def identity(self) -> tuple[str, ...]:
        """The id, four hexadecimal digits as lspci prints it."""
        return (f"{self.id:04x}",)


class CompanionPackage(Row):
    """How a companion of the driver is called; `{branch}` in names stands for the driver's branch."""

    key: ClassVar[tuple[str, ...]] = ("component", "packaging", "branches")
    noun: ClassVar[str] = "companion"

    component: Companion
    packaging: Packaging
    branches: BranchRange
    name: Text
    #: Packages that go with it and have versions of their own.
    extra: tuple[Text, ...] = ()
    #: Whether its version is the driver's, or its own.
    version: Literal["driver", "own"] = "driver"
    architectures: tuple[Arch, ...] = ("x86_64", "aarch64")
    needed_by: tuple[Need, ...]
    unit: str = ""


class Scheme(Row):
    """Package names of a driver for some systems, origin, branches, flavor and profile.

    Names are templates: `{branch}` and `{version}` are the driver's, `{kernel}` is the running kernel's release and
    `{kernel_flavor}` what follows its last hyphen but digits (`generic`, `aws`).
    """

    key: ClassVar[tuple[str, ...]] = ("systems", "origin", "branches", "flavor", "profile", "modules")
    noun: ClassVar[str] = "scheme"

    systems: tuple[SystemKey, ...]
    origin: Origin
    branches: BranchRange
    flavor: Flavor
    profile: Profile
    modules: Literal["dkms", "precompiled"] = "dkms"
    #: In the order to install them; all of the driver's version unless `unversioned` names them.
    packages: tuple[Text, ...]
    #: Packages among them, and persistenced, whose version is not the driver's.
    unversioned: tuple[Text, ...] = ()
    #: What must not lie beside them: the other flavor, other branches' names; shell patterns are allowed.
    unwanted: tuple[Text, ...] = ()
    persistenced: str = ""
    #: Packages that pin the driver's branch and its exact version (apt); module stream (EL 8 and 9); versionlock
    #: patterns (EL 10).
    pinning: str = ""
    exact_pinning: str = ""
    stream: str = ""
    versionlock: tuple[Text, ...] = ()
    #: Name in `dkms status`, by the first driver version that uses it; empty for precompiled modules.
    dkms_modules: dict[Version, Text] = Field(default_factory=dict)
    #: File name of the module without .ko, which modinfo and `options` lines use.
    module: Text = "nvidia"
    #: Branches that were ended here, and the first version of each whose packages are empty and bring another branch.
    emptied: dict[int, Version] = Field(default_factory=dict)
    #: Debian source packages whose installed binaries go along.
    source_packages: tuple[Text, ...] = ()
    #: Architectures that the packages exist for.
    architectures: tuple[Arch, ...] = ("x86_64", "aarch64")

    def dkms_module(self, version: str) -> str:
        """Return the name by which DKMS knows the module of this driver version; empty where DKMS has no part."""
        names = [name for first, name in self._dkms_by_version() if numbers(first) <= numbers(version)]
        return names[-1] if names else ""

    def _dkms_by_version(self) -> list[tuple[str, str]]:
        return sorted(self.dkms_modules.items(), key=lambda item: numbers(item[0]))


class KernelRange(Row):
    """Kernels on which a branch's modules build, from its first release that needs saying so."""

    key: ClassVar[tuple[str, ...]] = ("branches", "systems", "from_release")
    noun: ClassVar[str] = "kernels"

    branches: BranchRange
    #: Systems it is stated for; empty means all.
    systems: tuple[SystemKey, ...] = ()
    #: First driver release that builds on kernels up to `newest`; empty means any of the branch.
    from_release: Annotated[str, StringConstraints(pattern=r"^(\d+(\.\d+)*)?$")] = ""
    oldest: Version
    #: Newest kernel series that is known to work, such as `6.12`; None where no limit is known.
    newest: Version | None = None
