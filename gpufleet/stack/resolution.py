"""The resolver's answer for one host: packages, services and modules, each with its reason, or what forbids them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urljoin

from gpufleet.stack.verdicts import Verdict

Component = Literal[
    "driver", "persistenced", "fabric_manager", "nscq", "nvsdm", "nvlsm", "imex", "dcgm", "gdrcopy", "cuda",
    "cuda_compat", "nccl", "rdma", "containerd", "toolkit", "kubernetes",
]  # fmt: skip


@dataclass(frozen=True)
class Package:
    """One package: a version without revision (`580.95.05`) means any revision of it, no version the newest."""

    component: Component
    name: str
    version: str = ""
    reason: str = ""
    #: Path of the package's file on the host, where no repository has it.
    file: str = ""


@dataclass(frozen=True)
class Repository:
    """A vendor's package repository for one system; `path` is below the base URL, which an operator may replace."""

    name: str
    base_url: str
    path: str
    #: File name of the signing key beside the packages, and its OpenPGP fingerprint (40 hexadecimal digits).
    key: str
    fingerprint: str
    source: str
    #: Packages in it that are taken from the distribution all the same.
    excluded: tuple[str, ...] = ()
    #: What tells it from other archives in apt's preferences, such as `release l=DOCA-HOST*`.
    pins: tuple[str, ...] = ()
    #: Whether it is preferred to every other repository that has packages of these names.
    prevails: bool = False
    #: Suites and components, where apt's archive has some.
    suites: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    #: What dnf holds against the key: each package, or the repository's index, which has the packages' checksums.
    signed: Literal["packages", "metadata"] = "packages"

    @property
    def url(self) -> str:
        """The whole URL; repositories without suites need the slash at its end."""
        return f"{self.base_url.rstrip('/')}/{self.path.strip('/')}/"

    @property
    def key_place(self) -> str:
        """URL of the key, or what was given instead."""
        return self.key if "\n" in self.key else urljoin(self.url, self.key)


@dataclass(frozen=True)
class DriverChoice:
    """The driver of one host."""

    version: str
    branch: int
    flavor: Literal["open", "proprietary"]
    source: Literal["nvidia", "distribution"]
    #: Name by which DKMS knows the module, and the file name that modinfo and `options` lines use.
    dkms_module: str
    module: str
    packages: tuple[Package, ...]
    #: Packages of the other flavor, of other branches' names or of another scheme that must not lie beside these,
    #: the driver's companions included; a `*` stands for any text.
    unwanted: tuple[str, ...] = ()
    #: Package that pins the version (apt), empty where there is none; module stream (EL 8 and 9), empty elsewhere.
    pinning: str = ""
    stream: str = ""
    #: Patterns for `dnf versionlock` where neither package nor stream pins the version (EL 10).
    versionlock: tuple[str, ...] = ()
    #: Debian source packages whose other installed binaries go along (distribution's packages only).
    source_packages: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class RdmaChoice:
    """The host's network stack for RDMA; its packages are the resolution's of the component `rdma`."""

    provider: Literal["inbox", "doca"]
    #: Release of DOCA-OFED, `inbox` for the distribution's own.
    version: str
    #: Packages of other stacks that must not lie beside it.
    unwanted: tuple[str, ...] = ()
    #: Modules that DKMS builds of it, the one first that the others are built against.
    dkms_modules: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class Service:
    """A systemd unit and whether it is to run at boot."""

    unit: str
    enabled: bool
    masked: bool = False
    reason: str = ""


@dataclass(frozen=True)
class Unpacked:
    """A package whose files go beside a toolkit, because another version of it is the installed one."""

    component: Component
    name: str
    version: str
    #: The toolkit's directory, such as `/usr/local/cuda-12.9`: the files go into `nccl/include` and `nccl/lib` there.
    directory: str
    reason: str = ""


@dataclass(frozen=True)
class Resolution:
    """Everything that was decided for one host."""

    driver: DriverChoice | None = None
    #: The network stack for RDMA, None where no role wants one or the host has no adapters.
    rdma: RdmaChoice | None = None
    #: Packages of all components but the driver, in the order to install them.
    packages: tuple[Package, ...] = ()
    #: Packages that must not lie beside them; a `*` stands for any text.
    unwanted: tuple[str, ...] = ()
    services: tuple[Service, ...] = ()
    #: Kernel modules to load at boot beside the driver's own, in order (`ib_umad` before fabric manager on NVLink5).
    kernel_modules: tuple[str, ...] = ()
    #: Options of the kernel module `nvidia` that the hardware asks for.
    module_options: dict[str, str] = field(default_factory=dict)
    repositories: tuple[Repository, ...] = ()
    #: Second builds of a library (NCCL for the other CUDA major), taken from the same repository.
    unpacked: tuple[Unpacked, ...] = ()
    #: The toolkit that `/usr/local/cuda` names, such as `13.0`; empty where there is none.
    cuda_default: str = ""
    #: How network adapters reach the GPUs' memory; empty where they do not.
    gpudirect: Literal["", "dma-buf", "peermem"] = ""
    #: Why, for what has no reason of its own: `module ib_umad`, `option NVreg_X`, `gpudirect`.
    reasons: dict[str, str] = field(default_factory=dict)
    verdicts: tuple[Verdict, ...] = ()

    def of(self, *components: Component) -> tuple[Package, ...]:
        """Return the packages of these components."""
        own = self.driver.packages if self.driver else ()
        return tuple(package for package in (*own, *self.packages) if package.component in components)

    @property
    def errors(self) -> tuple[Verdict, ...]:
        """The verdicts that forbid this wish; a resolution with any installs nothing."""
        return tuple(verdict for verdict in self.verdicts if verdict.level == "error")
