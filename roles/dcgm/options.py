"""Options of the role `dcgm`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, field_validator

from gpufleet.options import RoleOptions


class Dcgm(RoleOptions, key="dcgm"):
    """DCGM with the packages for the CUDA major of the driver, and its host engine."""

    state: Literal["present", "absent"] = Field("present", description="Install DCGM, or remove all of it.")
    version: str = Field("auto", description="`auto` takes the newest that the matrix knows; else one like `4.4.1`.")
    run: bool = Field(
        True,
        description="Run the host engine; only one program can profile a GPU, so a fleet with exporters of its own "
        "that embed the engine may leave it off.",
    )
    install_timeout: int = Field(1800, gt=0, description="Seconds one package installation may take.")

    @field_validator("version")
    @classmethod
    def _version_is_exact(cls, version: str) -> str:
        if not re.fullmatch(r"auto|\d+(\.\d+){1,2}(-cuda\d{2})?", version):
            raise ValueError(f"expected `auto` or a version, found {version!r}; write it like 4.4.1")
        return version

    def wish(self) -> Mapping[str, Any]:
        """Return the version that is wanted, if any."""
        return {"dcgm": self.version if self.state == "present" else None}
