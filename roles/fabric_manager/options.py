"""Options of the role `fabric_manager`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from gpufleet.options import RoleOptions


class FabricManager(RoleOptions, key="fabric_manager"):
    """NVIDIA's fabric manager with its libraries and, on NVLink5, its subnet manager: in the driver's version."""

    run: Literal["auto", "on", "off"] = Field(
        "auto", description="`auto` decides by the hardware: where the host itself has NVSwitches to manage."
    )
    version: str | None = Field(
        None, description="None takes the driver's; anything else is refused, because fabric manager would not start."
    )
    install_timeout: int = Field(1800, gt=0, description="Seconds one package installation may take.")

    @field_validator("version")
    @classmethod
    def _version_is_whole(cls, version: str | None) -> str | None:
        if version is not None and not re.fullmatch(r"[1-9]\d{2}\.\d{2,3}(\.\d{2})?(-[A-Za-z0-9.+~]+)?", version):
            raise ValueError(
                f"expected the driver's whole version, found {version!r}; leave it out, or write 580.95.05"
            )
        return version

    @model_validator(mode="after")
    def _version_of_what_is_there(self) -> Self:
        if self.version and self.run == "off":
            raise ValueError(f"expected no version beside run: off, found {self.version}; leave one out")
        return self

    def wish(self) -> Mapping[str, Any]:
        """Return whether fabric manager is wanted, or in which version."""
        return {"fabric_manager": self.version or self.run}
