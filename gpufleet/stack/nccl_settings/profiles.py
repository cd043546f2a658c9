"""What each platform wants of NCCL."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Self, get_args

import yaml
from pydantic import BaseModel, ConfigDict, model_validator

from gpufleet.stack.machine import Platform
from gpufleet.stack.nccl_settings import topology, variables
from gpufleet.stack.nccl_settings.variables import Value

TABLE = Path(__file__).with_name("profiles.yaml")


class Profile(BaseModel):
    """Settings of one platform, and what else it needs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str
    #: Variables of NCCL itself.
    settings: Mapping[str, Value]
    #: Variables of the platform's network plugin, which NCCL's guide does not list.
    plugin: Mapping[str, Value] = {}
    #: Row of topologies.yaml, where the platform hides its PCI tree.
    topology: str | None = None
    #: Where the network plugin may lie; one of them must be there.
    library: tuple[str, ...] = ()

    @model_validator(mode="after")
    def check(self) -> Self:
        """Refuse settings that NCCL would not take, and a topology that is not there."""
        for name, value in self.settings.items():
            row = variables.table().get(name)
            if row is None or row.kind == "debug" or not row.takes(value):
                raise ValueError(f"{name}: {value!r} is no setting for a platform")
        for name, value in self.plugin.items():
            if wrong := variables.extra_fault(name, value):
                raise ValueError(wrong)
        if self.topology is not None and self.topology not in topology.table():
            raise ValueError(f"no topology {self.topology}")
        return self


class Profiles(BaseModel):
    """The rows of profiles.yaml, checked: one for every platform."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    profiles: Mapping[Platform, Profile]

    @model_validator(mode="after")
    def check(self) -> Self:
        """Refuse a table that leaves a platform out."""
        missing = set(get_args(Platform)) - set(self.profiles)
        if missing:
            raise ValueError(f"no profile for {', '.join(sorted(missing))}")
        return self


@cache
def table() -> Mapping[Platform, Profile]:
    """Load profiles.yaml."""
    return Profiles.model_validate(yaml.safe_load(TABLE.read_text(encoding="utf-8"))).profiles
