"""Options of the role `imex`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, IPvAnyAddress, field_validator, model_validator

from gpufleet.options import RoleOptions


class Imex(RoleOptions, key="imex"):
    """IMEX on multi-node NVLink (GB200 and GB300 compute trays), in the driver's version."""

    run: Literal["auto", "on", "off", "dra"] = Field(
        "auto",
        description="`auto` runs it on compute trays; `dra` installs the package and masks the unit, because NVIDIA's "
        "DRA driver for Kubernetes runs daemons of its own.",
    )
    nodes: list[IPvAnyAddress] = Field(
        [], description="Addresses of all hosts of the NVLink domain, this one included; `dra` needs none."
    )
    install_timeout: int = Field(1800, gt=0, description="Seconds one package installation may take.")

    @field_validator("nodes")
    @classmethod
    def _every_node_once(cls, nodes: list[IPvAnyAddress]) -> list[IPvAnyAddress]:
        twice = sorted({str(node) for node in nodes if nodes.count(node) > 1})
        if twice:
            raise ValueError(f"expected every node once, found {', '.join(twice)} again; take it out")
        return nodes

    @model_validator(mode="after")
    def _nodes_where_they_are_read(self) -> Self:
        if self.run == "on" and not self.nodes:
            raise ValueError("expected nodes for a daemon that shall run, found none; list all hosts of the domain")
        if self.run == "dra" and self.nodes:
            raise ValueError(f"expected no nodes beside run: dra, found {len(self.nodes)}; leave one of them out")
        return self

    def wish(self) -> Mapping[str, Any]:
        """Return whether IMEX is wanted."""
        return {"imex": self.run}
