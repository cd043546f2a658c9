"""Options of the role `roce`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from gpufleet.errors import Fault
from gpufleet.network.roce import Qos, traffic_class
from gpufleet.options import HasData, RoleOptions

_TABLE = yaml.safe_load(Path(__file__).with_name("defaults.yaml").read_text(encoding="utf-8"))
#: Values of NVIDIA's examples; defaults.yaml has their sources.
DEFAULTS: Mapping[str, Any] = {name: row["value"] for name, row in _TABLE.items()}

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_.-]*$")]
Priority = Annotated[int, Field(ge=0, le=7)]
Dscp = Annotated[int, Field(ge=0, le=63)]

#: NCCL's variable for the traffic class of what it sends.
NCCL_CLASS = "NCCL_IB_TC"
#: NCCL's variable for the index of the GID that it sends from.
NCCL_GID = "NCCL_IB_GID_INDEX"


class Cnp(BaseModel):
    """Congestion notification packets; a misspelt option is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dscp: Dscp = Field(default=DEFAULTS["cnp_dscp"], description="DSCP of congestion notifications.")
    priority: Priority = Field(default=DEFAULTS["cnp_priority"], description="Priority of congestion notifications.")


class Roce(RoleOptions, key="roce"):
    """RDMA over Converged Ethernet."""

    interfaces: Literal["all"] | list[Name] = Field(
        "all", description="Interfaces or RDMA devices; `all` means every RDMA port with Ethernet below it."
    )
    trust: Literal["dscp", "pcp"] = Field(
        DEFAULTS["trust"], description="What says a packet's priority: its DSCP, or its VLAN tag."
    )
    dscp: Dscp = Field(DEFAULTS["dscp"], description="DSCP of RoCE's data.")
    priority: Priority = Field(DEFAULTS["priority"], description="Priority of RoCE's data.")
    pfc: list[Priority] | None = Field(
        None, description="Priorities that are paused instead of dropped; none means that of RoCE's data alone."
    )
    ecn: bool = Field(True, description="Mark congestion on the priority of RoCE's data, and react to marks.")
    cnp: Cnp = Field(default_factory=Cnp, description="Congestion notifications.")
    mtu: int | None = Field(
        DEFAULTS["mtu"], ge=1280, le=9978, description="MTU of the interfaces in bytes; none leaves it as it is."
    )

    @model_validator(mode="after")
    def _classes_apart(self) -> Self:
        if self.pfc is not None and self.priority not in self.pfc:
            cure = f"add {self.priority}, or leave pfc out"
            raise ValueError(f"expected PFC on RoCE's own priority {self.priority}, found it on {self.pfc}; {cure}")
        if self.cnp.dscp == self.dscp or self.cnp.priority in self.paused:
            found = f"DSCP {self.cnp.dscp} and priority {self.cnp.priority}"
            cure = "give them others: a notification must not wait behind the congestion that it is about"
            raise ValueError(f"expected congestion notifications apart from RoCE's data, found {found}; {cure}")
        return self

    @property
    def paused(self) -> tuple[int, ...]:
        """Priorities with flow control."""
        return tuple(sorted({self.priority} if self.pfc is None else set(self.pfc)))

    @property
    def traffic_class(self) -> int:
        """DSCP and ECN bits of RoCE's data: what NCCL and other senders must use."""
        return traffic_class(self.dscp, ecn=self.ecn)

    @property
    def named(self) -> list[str] | None:
        """Interfaces or devices that are named; none where all are meant."""
        return None if self.interfaces == "all" else list(self.interfaces)

    def qos(self) -> Qos:
        """Return what every port shall have."""
        return Qos(
            by_dscp=self.trust == "dscp",
            priorities={self.dscp: self.priority, self.cnp.dscp: self.cnp.priority},
            pfc=self.paused,
            ecn=(self.priority,) if self.ecn else (),
            cnp_dscp=self.cnp.dscp,
            cnp_priority=self.cnp.priority,
            traffic_class=self.traffic_class,
            mtu=self.mtu,
        )

    def faults(self, host: HasData) -> Iterable[Fault]:
        """Compare with what the same inventory tells NCCL: a sender in another class loses what is lossless here."""
        settings = (host.data.get("nccl") or {}).get("settings") or {}
        given = settings.get(NCCL_CLASS)
        if given is not None and str(given) != str(self.traffic_class):
            problem = f"expected {self.traffic_class}, which is roce.dscp {self.dscp} with its ECN bits, found {given}"
            yield Fault(f"nccl.settings.{NCCL_CLASS}", problem, "set it so, or change roce.dscp")
