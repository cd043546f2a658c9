"""Options of the role `fabric_manager`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

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

    def wish(self) -> Mapping[str, Any]:
        """Return whether fabric manager is wanted, or in which version."""
        wanted = self.version if self.version and self.run != "off" else self.run
        return {"fabric_manager": wanted}
