"""Options of the role `infiniband`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from gpufleet.fabric.counters import thresholds
from gpufleet.nearest import nearest
from gpufleet.options import RoleOptions

PciAddress = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$")]
PciKind = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{4}:[0-9a-f]{4}$")]
DeviceName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,62}$")]
Unit = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9@_.-]+\.service$")]
#: One word for the kernel, without quotes or what GRUB's shell reads.
Argument = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]+(=[A-Za-z0-9_.,:=@+/-]+)?$")]
Module = Literal["ib_umad", "ib_uverbs", "rdma_ucm", "ib_ipoib"]

#: What runs jobs, whose limits the jobs inherit.
RUNTIMES = ["containerd.service", "crio.service", "docker.service", "slurmd.service"]


class _Part(BaseModel):
    """A group of options; a misspelt one is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Memlock(_Part):
    """Memory that services may lock."""

    limit: Literal["unlimited"] | Annotated[int, Field(ge=64)] = Field(
        default="unlimited", description="Memory one process may lock, in KiB."
    )
    services: list[Unit] = Field(default=RUNTIMES, description="Services that start what uses RDMA.")

    @property
    def text(self) -> str:
        """The limit in bytes, or `unlimited`."""
        return self.limit if isinstance(self.limit, str) else str(self.limit * 1024)


class Pcie(_Part):
    """Settings of one kind of PCI device; what is not given stays."""

    max_read_request: Literal[128, 256, 512, 1024, 2048, 4096] | None = Field(
        default=None, description="Bytes that one read request may ask for."
    )
    relaxed_ordering: bool | None = Field(
        default=None, description="Whether the device may mark its writes as free to pass others."
    )


class Port(_Part):
    """What the port of a device is to be: checked, never set."""

    link_layer: Literal["InfiniBand", "Ethernet"] = Field(default="InfiniBand", description="Kind of network.")
    rate: int | None = Field(default=None, gt=0, description="Speed in Gb/s, such as 400.")
    width: int = Field(default=4, ge=1, le=16, description="Lanes.")


class Performance(_Part):
    """Bandwidth and latency between the adapters of a host: measured on request, as that loads the fabric."""

    run: bool = Field(
        default=False,
        description="Have `gpufleet verify` measure by perftest between the adapters of a host, for seconds each.",
    )
    devices: Literal["all"] | list[DeviceName] = Field(
        default="all", description="Devices to measure between; `all` leaves out those by which the host is reached."
    )
    memory: Literal["host", "gpu"] = Field(
        default="host", description="Memory that is sent from and written to; `gpu` is that of the nearest GPU."
    )
    bandwidth: float | None = Field(
        default=None, gt=0, description="Least bandwidth in Gb/s, in place of that of the adapter's generation."
    )
    latency: float | None = Field(
        default=None, gt=0, description="Largest latency in microseconds, in place of that of the adapter's generation."
    )


class Infiniband(RoleOptions, key="infiniband"):
    """The host's network stack for RDMA, on hosts with Mellanox network adapters."""

    provider: Literal["auto", "inbox", "doca"] = Field(
        "auto",
        description="`inbox` is the distribution's rdma-core, `doca` NVIDIA's DOCA-OFED; `auto` takes DOCA-OFED where "
        "GPUDirect needs peer memory that the distribution's kernel has not.",
    )
    version: str = Field("auto", description="Release of DOCA-OFED, such as `3.2.3`; `auto` takes the newest.")
    modules: list[Module] = Field(
        ["ib_umad", "ib_uverbs", "rdma_ucm"], description="Kernel modules to load, now and at boot."
    )
    names: Literal["auto", "untouched"] | dict[PciAddress, DeviceName] = Field(
        "auto",
        description="Device names by PCI address; `auto` calls them mlx5_0, mlx5_1 and so on in the order of their "
        "addresses, virtual functions left out.",
    )
    ports: dict[DeviceName, Port] = Field(
        {},
        description="What the first port of a device is to be, by the device's name, `all` for every other: "
        "`link_layer` (`InfiniBand`), `rate` in Gb/s, `width` (4). Checked, never set.",
    )
    counters: dict[str, Annotated[int, Field(ge=0)]] = Field(
        {},
        description="A site's own numbers of errors per hour above which a port's counter is a finding, by the names "
        "that `ibqueryerrors` prints, such as `SymbolErrorCounter`.",
    )
    performance: Performance = Field(
        default_factory=Performance, description="Bandwidth and latency between the adapters of a host."
    )
    memlock: Memlock = Field(default_factory=Memlock, description="Memory that services may lock.")
    pcie: dict[PciKind, Pcie] = Field(
        {},
        description="PCI Express settings by vendor and device, such as `15b3:1021`, made at every boot: "
        "`max_read_request` in bytes, `relaxed_ordering`.",
    )
    acs: Literal["off", "untouched"] = Field(
        "off",
        description="Switch ACS off on the bridges above GPUs and adapters at every boot, on bare metal: with it their "
        "traffic takes the way through the root complex.",
    )
    iommu: Literal["passthrough", "off", "untouched"] = Field(
        "untouched", description="How the kernel uses the IOMMU, from the next boot on."
    )
    kernel_arguments: list[Argument] = Field(
        [], description="More arguments of the kernel, such as `pci=disable_acs_redir=pci:15b3:1976`."
    )
    install_timeout: int = Field(1800, gt=0, description="Seconds one package installation or DKMS build may take.")

    @field_validator("version")
    @classmethod
    def _version_is_exact(cls, version: str) -> str:
        if not re.fullmatch(r"auto|\d+(\.\d+){1,2}", version):
            raise ValueError(f"expected `auto` or a release, found {version!r}; write it like 3.2.3")
        return version

    @field_validator("names")
    @classmethod
    def _names_are_for_one_device_each(cls, names: str | dict[str, str]) -> str | dict[str, str]:
        named = list(names.values()) if isinstance(names, dict) else []
        twice = sorted({name for name in named if named.count(name) > 1})
        if twice:
            raise ValueError(
                f"expected a name for one device each, found {', '.join(twice)} again; correct one of them"
            )
        if isinstance(names, dict) and "all" in named:
            raise ValueError("expected a device's name, found 'all', which stands for every device; choose another")
        return names

    @field_validator("counters")
    @classmethod
    def _counters_are_judged_ones(cls, counters: dict[str, int]) -> dict[str, int]:
        _known(counters, list(thresholds()), "a counter that is judged")
        return counters

    @field_validator("ports", "performance")
    @classmethod
    def _devices_are_named_ones(cls, value: Any, info: Any) -> Any:
        named = value.devices if isinstance(value, Performance) else value
        if isinstance(names := info.data.get("names"), dict) and named != "all":
            _known(named, ["all", *names.values()], "a device that names has")
        return value

    def wish(self) -> Mapping[str, Any]:
        """Return who provides the stack, and the release if one is named."""
        return {"rdma_stack": self.provider, "ofed": None if self.version == "auto" else self.version}


def _known(found: Iterable[str], known: Sequence[str], what: str) -> None:
    """Refuse a name that is not known, and say which one is meant."""
    for name in found:
        if name not in known:
            close = nearest(name, known)
            cure = f"did you mean {close}?" if close else f"known are {', '.join(known)}"
            raise ValueError(f"expected {what}, found {name!r}; {cure}")
