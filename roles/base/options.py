"""Options of the role `base`."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, IPvAnyAddress, StringConstraints, field_validator

from gpufleet.options import RoleOptions

ModuleName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+$")]
SysctlKey = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+(\.[A-Za-z0-9_/-]+)+$")]
SysctlValue = int | Annotated[str, StringConstraints(pattern=r"^[^\s#;]+([ \t]+[^\s#;]+)*$")]
#: A host name or an address, as chrony and hosts(5) take it.
HostName = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$"),
]
Server = IPvAnyAddress | HostName
Governor = Literal["performance", "powersave", "schedutil", "ondemand", "conservative", "untouched"]

#: What GPU nodes need of the kernel beside its own defaults.
SYSCTL: dict[str, int | str] = {
    # Container runtimes and training jobs watch more files than the kernel's defaults allow.
    "fs.inotify.max_user_instances": 8192,
    "fs.inotify.max_user_watches": 1048576,
    # Pages that move between sockets stall GPU copies; jobs bind their memory themselves.
    "kernel.numa_balancing": 0,
    # A node that panicked comes back by itself instead of waiting for a hand.
    "kernel.panic": 10,
    # Neighbor tables of a large flat network overflow at the kernel's 1,024 entries.
    "net.ipv4.neigh.default.gc_thresh1": 4096,
    "net.ipv4.neigh.default.gc_thresh2": 8192,
    "net.ipv4.neigh.default.gc_thresh3": 16384,
    # CUDA and NCCL map memory in more pieces than the kernel's 65,530.
    "vm.max_map_count": 1048576,
}


class _Part(BaseModel):
    """A group of options; a misspelt one is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Limits(_Part):
    """Limits of logins and of services alike."""

    memlock: Literal["unlimited"] | Annotated[int, Field(ge=64)] = Field(
        default="unlimited",
        description="Memory a process may lock, in KiB; RDMA and GPU transfers lock what they move.",
    )
    nofile: int = Field(default=1048576, ge=1024, le=1073741816, description="Files a process may have open.")


class Time(_Part):
    """Time by chrony."""

    servers: list[Server] = Field(
        default=[], description="NTP servers to use instead of the distribution's pool; none keeps the pool."
    )


class Names(_Part):
    """Names the host knows without asking a name server."""

    hostname: HostName | None = Field(
        default=None, description="Host name; none takes the host's name in the inventory."
    )
    address: IPvAnyAddress = Field(
        default=ipaddress.IPv4Address("127.0.1.1"), description="Address of the host's own line in /etc/hosts."
    )
    hosts: dict[IPvAnyAddress, list[HostName]] = Field(
        default={}, description="More entries for /etc/hosts: names by address, the canonical name first."
    )

    @field_validator("hosts")
    @classmethod
    def _addresses_have_names(cls, hosts: dict[IPvAnyAddress, list[HostName]]) -> dict[IPvAnyAddress, list[HostName]]:
        for address, names in hosts.items():
            if not names:
                raise ValueError(f"expected at least one name for {address}, found none")
        return hosts


class Base(RoleOptions, key="base"):
    """What every host of the fleet has in common, whatever runs on it."""

    hold_kernel: bool = Field(True, description="Hold the kernel and its headers, so that only a rollout moves them.")
    modules: list[ModuleName] = Field(
        ["overlay", "br_netfilter"], description="Kernel modules to load, now and at boot."
    )
    sysctl: dict[SysctlKey, SysctlValue] = Field(
        SYSCTL, description="Kernel settings; a dictionary given here replaces the whole default set."
    )
    limits: Limits = Field(default_factory=Limits, description="Limits of logins and of services.")
    swap: Literal["off", "untouched"] = Field("off", description="Turn swap off for good, or leave it alone.")
    cpu_governor: Governor = Field(
        "performance", description="How processors choose their frequency, on hosts that have a choice."
    )
    time: Time = Field(default_factory=Time, description="Time synchronization.")
    names: Names = Field(default_factory=Names, description="Host name and /etc/hosts.")

    @property
    def sysctl_text(self) -> dict[str, str]:
        """Kernel settings as the kernel prints them, in the order of their names."""
        return {key: " ".join(str(value).split()) for key, value in sorted(self.sysctl.items())}
