"""Options of the role `nccl`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from gpufleet.options import RoleOptions
from gpufleet.stack.machine import Platform
from gpufleet.stack.nccl_settings import variables
from gpufleet.stack.nccl_settings.variables import Value

Settings = dict[str, Value]


class Tests(BaseModel):
    """NVIDIA's benchmark programs, from source."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str | None = Field(
        default=None, description="Source archive of nccl-tests, a gzipped tar file; none builds nothing."
    )
    sha256: str | None = Field(default=None, description="Checksum of that archive.")
    directory: str = Field(
        default="/opt/nccl-tests", pattern=r"^/opt/[^\s/]+$", description="Where the programs go, below /opt."
    )

    @model_validator(mode="after")
    def _archive_is_pinned(self) -> Self:
        if self.url and not re.fullmatch(r"[0-9a-f]{64}", self.sha256 or ""):
            found = self.sha256 or "none"
            raise ValueError(f"expected a sha256 of 64 hexadecimal digits beside the URL, found {found}; add it")
        return self


class Nccl(RoleOptions, key="nccl"):
    """NCCL on the host, and its settings for host and pods."""

    state: Literal["present", "absent"] = Field("present", description="Install and configure NCCL, or remove it.")
    version: str | None = Field(
        "auto", description="Exact version such as `2.28.3`, `auto` for the matrix's choice, none for settings alone."
    )
    cuda: str | None = Field(
        None,
        description="CUDA version or major that the installed library is built for; none takes the default toolkit's.",
    )
    profile: Literal["auto"] | Platform = Field(
        "auto", description="Platform whose settings apply; `auto` goes by firmware, GPUs and adapters."
    )
    settings: Settings = Field(
        {}, description="NCCL's settings of the system, such as `NCCL_IB_HCA: =mlx5_0`; they beat the profile's."
    )
    workarounds: Settings = Field(
        {}, description="Settings that NVIDIA lists under Debugging, where a known problem asks for one."
    )
    extra: Settings = Field({}, description="Variables of plugins, or newer than those known here, unchecked.")
    topology: Path | None = Field(
        None, description="Topology file on the controller, in place of the profile's; XML as NCCL reads it."
    )
    pods: bool = Field(True, description="Offer settings and topology to pods: /etc/gpufleet/nccl and a CDI file.")
    tests: Tests = Field(default=Tests(), description="nccl-tests, built on the host.")
    install_timeout: int = Field(1800, gt=0, description="Seconds one package installation or build may take.")

    @field_validator("version")
    @classmethod
    def _version_is_exact(cls, version: str | None) -> str | None:
        if version not in (None, "auto") and not re.fullmatch(r"\d+\.\d+\.\d+", str(version)):
            raise ValueError(f"expected auto or an exact version, found {version!r}; write it like 2.28.3")
        return version

    @field_validator("settings")
    @classmethod
    def _settings_are_known(cls, settings: Settings) -> Settings:
        return _checked(settings, lambda name, value: variables.fault(name, value, "system"))

    @field_validator("workarounds")
    @classmethod
    def _workarounds_are_known(cls, settings: Settings) -> Settings:
        return _checked(settings, lambda name, value: variables.fault(name, value, "workaround"))

    @field_validator("extra")
    @classmethod
    def _extra_is_unknown(cls, settings: Settings) -> Settings:
        return _checked(settings, variables.extra_fault)

    @field_validator("topology")
    @classmethod
    def _topology_is_readable(cls, topology: Path | None) -> Path | None:
        if topology is None:
            return None
        if not topology.is_file() or "<system" not in topology.read_text(encoding="utf-8"):
            raise ValueError(f"expected a file with an element <system>, found none at {topology}; correct the path")
        return topology

    @model_validator(mode="after")
    def _one_topology(self) -> Self:
        if self.topology and "NCCL_TOPO_FILE" in self.settings:
            raise ValueError("expected topology or NCCL_TOPO_FILE, found both; take one of them out")
        return self

    @property
    def own_settings(self) -> Settings:
        """All settings given here; a variable is in one of the three by its kind."""
        return {**self.settings, **self.workarounds, **self.extra}

    def wish(self) -> Mapping[str, Any]:
        """Return the version and what it is built for; nothing where only settings are wanted."""
        if self.state == "absent" or self.version is None:
            return {}
        return {"nccl": self.version, "nccl_cuda": self.cuda}


def _checked(settings: Settings, fault: Any) -> Settings:
    faults = [text for name, value in settings.items() if (text := fault(name, value))]
    if faults:
        raise ValueError(". Also: ".join(faults))
    return settings
