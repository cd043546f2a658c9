"""Options of the role `nic_firmware`."""

from __future__ import annotations

import re
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StringConstraints, model_validator

from gpufleet.options import RoleOptions
from gpufleet.stack.adapter_settings import Rule

Name = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_a-z]*$")]
Text = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]+$")]
NAMES = ("address", "psid", "device")


class Adapters(BaseModel):
    """Adapters of one kind, or one adapter, and what is declared for them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: str | None = Field(default=None, description="PCI address of one adapter, such as `0000:18:00.0`.")
    psid: str | None = Field(
        default=None, pattern=r"^[A-Z0-9_]{4,16}$", description="PSID, such as `MT_0000000838`: exactly one product."
    )
    device: str | None = Field(
        default=None, pattern=r"^[0-9a-f]{4}$", description="PCI device id, such as `1021`: all ConnectX-7."
    )
    settings: dict[Name, StrictBool | StrictInt | Text] = Field(
        default={}, description="Settings by the names that `mstconfig query` lists, as number, switch or name."
    )
    minimum_firmware: str | None = Field(
        default=None, pattern=r"^\d+\.\d+\.\d+$", description="Oldest firmware that passes verification."
    )

    @model_validator(mode="after")
    def _one_name(self) -> Self:
        given = [name for name in NAMES if getattr(self, name) is not None]
        if len(given) != 1:
            found = " and ".join(given) or "none"
            raise ValueError(f"expected one of address, psid and device, found {found}; name the adapters once")
        if self.address is not None and not re.fullmatch(r"[0-9a-f]{4}:[0-9a-f]{2}:[0-1][0-9a-f]\.0", self.address):
            cure = "settings belong to the first function; `lspci -D -d 15b3:` lists them"
            raise ValueError(f"expected an address such as 0000:18:00.0, found {self.address!r}; {cure}")
        return self

    @property
    def rule(self) -> Rule:
        """The same as the machinery takes it."""
        return Rule(self.settings, self.minimum_firmware, self.address, self.psid, self.device)


class NicFirmware(RoleOptions, key="nic_firmware"):
    """Settings in the firmware of Mellanox adapters; it never flashes."""

    adapters: list[Adapters] = Field(
        [], description="What is declared; for one adapter its address wins over its PSID, that over its device id."
    )
    apply: bool = Field(
        False, description="Write the settings; else they are only compared. They are in force after a boot."
    )
    timeout: int = Field(300, gt=0, description="Seconds writing to one adapter may take.")
    install_timeout: int = Field(1800, gt=0, description="Seconds one package installation may take.")

    @model_validator(mode="after")
    def _every_kind_once(self) -> Self:
        names = [row.address or row.psid or row.device or "" for row in self.adapters]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"expected every kind once, found {', '.join(twice)} again; put their settings together")
        return self

    @property
    def rules(self) -> list[Rule]:
        """What is declared, as the machinery takes it."""
        return [row.rule for row in self.adapters]
