"""Options of the role `subnet_manager`."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from gpufleet.options import RoleOptions
from roles.subnet_manager.partitions import DEFAULT, DEFAULT_KEY, Partition, guid

Guid = Annotated[str, AfterValidator(guid)]
Routing = Literal["minhop", "updn", "dnup", "ftree", "lash", "dor", "nue", "sssp", "dfsssp"]
#: Engines that read a list of root switches.
ROOTED = ("updn", "dnup", "ftree")
VirtualLane = Annotated[int, Field(ge=0, le=14)]
Weight = Annotated[int, Field(ge=0, le=255)]


class _Part(BaseModel):
    """A group of options; a misspelt one is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Port(_Part):
    """A port to manage a subnet from: its device, or its GUID."""

    device: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_]+$", description="RDMA device, such as `mlx5_0`.")
    port: int = Field(default=1, ge=1, le=254, description="Port of the device.")
    guid: Guid | None = Field(default=None, description="GUID of the port, in place of device and port.")
    priority: int | None = Field(
        default=None, ge=0, le=15, description="Priority in this subnet; none takes the role's."
    )
    root_guids: list[Guid] = Field(
        default=[], description="Node GUIDs of this subnet's root switches; none lets updn find them."
    )

    @model_validator(mode="after")
    def _one_name(self) -> Self:
        if (self.device is None) == (self.guid is None):
            found = "neither" if self.guid is None else "both"
            raise ValueError(f"expected device or guid, found {found}; name the port once")
        return self

    @property
    def name(self) -> str:
        """Name of the port's instance."""
        return self.guid or f"{self.device}-{self.port}"


class Qos(_Part):
    """Virtual lanes: how many, and how they share a link."""

    max_vls: int = Field(default=15, ge=1, le=15, description="Data lanes in use.")
    high_limit: int = Field(
        default=4, ge=0, le=255, description="4 KiB blocks of high priority before one of low; 255 is no limit."
    )
    high: dict[VirtualLane, Weight] = Field(
        default={0: 4, **dict.fromkeys(range(1, 15), 0)}, description="Weights of lanes of high priority."
    )
    low: dict[VirtualLane, Weight] = Field(
        default={0: 0, **dict.fromkeys(range(1, 15), 4)}, description="Weights of lanes of low priority."
    )
    sl2vl: list[VirtualLane] = Field(
        default=[*range(15), 7], min_length=16, max_length=16, description="Lane of each service level, 0 to 15."
    )

    @property
    def high_text(self) -> str:
        """Weights as OpenSM reads them."""
        return _weights(self.high)

    @property
    def low_text(self) -> str:
        """Weights as OpenSM reads them."""
        return _weights(self.low)


def _weights(lanes: dict[int, int]) -> str:
    return ",".join(f"{lane}:{weight}" for lane, weight in lanes.items())


class Failover(_Part):
    """How soon a standby takes over: it asks the master every `poll_ms`, and does after that many times in vain."""

    poll_ms: int = Field(default=2000, ge=100, le=60000, description="Milliseconds between two questions.")
    retries: int = Field(default=4, ge=1, le=100, description="Questions without an answer.")


class Log(_Part):
    """OpenSM's own log, one for each port."""

    level: Literal["error", "info", "verbose"] = Field(default="info", description="How much it says.")
    rotate: Literal["hourly", "daily", "weekly", "monthly"] = Field(
        default="weekly", description="How often logrotate moves it away."
    )
    max_size_mb: int = Field(default=100, ge=1, le=10000, description="Size in MiB at which it is moved earlier.")
    keep: int = Field(default=4, ge=0, le=1000, description="Old logs that stay.")


class SubnetManager(RoleOptions, key="subnet_manager"):
    """OpenSM on hosts that manage an InfiniBand fabric; one instance for each port and subnet."""

    state: Literal["present", "absent"] = Field("present", description="Run it, or remove all of it.")
    ports: list[Port] = Field([], description="Ports to manage subnets from: one for each rail that is its own subnet.")
    priority: int = Field(
        0, ge=0, le=15, description="Who becomes master: the highest, and the lowest GUID among equals."
    )
    partitions: list[Partition] = Field(
        [], description="Partitions, the same on every manager; the default one is added where it is not given."
    )
    routing: list[Routing] = Field(
        [], description="Routing engines, the next where one cannot route; none is OpenSM's own choice, minhop."
    )
    subnet_prefix: str = Field(
        "0xfe80000000000000", pattern=r"^0x[0-9a-f]{16}$", description="GID prefix of the subnet."
    )
    lmc: int = Field(0, ge=0, le=7, description="LID mask control: 2 to the power of it are the paths to each port.")
    sweep_interval: int = Field(10, ge=0, le=3600, description="Seconds between two light sweeps; 0 for none.")
    failover: Failover = Field(default_factory=Failover, description="How soon a standby takes over.")
    qos: Qos | None = Field(default=None, description="Quality of service; none leaves it off.")
    log: Log = Field(default_factory=Log, description="The log, and how it rotates.")
    install_timeout: int = Field(1800, gt=0, description="Seconds one package installation may take.")

    @field_validator("ports")
    @classmethod
    def _every_port_once(cls, ports: list[Port]) -> list[Port]:
        if twice := _twice([port.name for port in ports]):
            raise ValueError(f"expected every port once, found {twice} again; take it out")
        return ports

    @field_validator("partitions")
    @classmethod
    def _every_key_once(cls, partitions: list[Partition]) -> list[Partition]:
        if twice := _twice([f"{partition.key:#06x}" for partition in partitions]):
            raise ValueError(f"expected every partition key once, found {twice} again; OpenSM would merge them")
        return partitions

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.state == "present" and not self.ports:
            raise ValueError("expected a port to manage a subnet from, found none; list one, or leave the host out")
        if any(port.root_guids for port in self.ports) and not set(self.routing) & set(ROOTED):
            found = ", ".join(self.routing) or "OpenSM's own choice"
            raise ValueError(f"expected root_guids with routing by {', '.join(ROOTED)}, found {found}; add one of them")
        return self

    @property
    def all_partitions(self) -> list[Partition]:
        """Partitions, the default one first."""
        given = sorted(self.partitions, key=lambda partition: partition.key != DEFAULT_KEY)
        has_default = bool(given) and given[0].key == DEFAULT_KEY
        return given if has_default else [DEFAULT, *given]


def _twice(names: list[str]) -> str:
    return ", ".join(sorted({name for name in names if names.count(name) > 1}))
