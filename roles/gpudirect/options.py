"""Options of the role `gpudirect`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, field_validator

from gpufleet.options import RoleOptions


class Gpudirect(RoleOptions, key="gpudirect"):
    """GPUDirect RDMA by DMA-BUF or nvidia_peermem, and GDRCopy."""

    rdma: Literal["auto", "peermem", "dma-buf", "off"] = Field(
        "auto",
        description="`auto` takes DMA-BUF where module and kernel have it, nvidia_peermem elsewhere, and nothing on "
        "hosts without RDMA adapters.",
    )
    gdrcopy: str = Field("off", description="`off`, `auto` for the newest that the matrix knows, or a version.")
    install_timeout: int = Field(1800, gt=0, description="Seconds one package installation or DKMS build may take.")

    @field_validator("gdrcopy")
    @classmethod
    def _version_is_exact(cls, version: str) -> str:
        if not re.fullmatch(r"off|auto|\d+(\.\d+){1,2}", version):
            raise ValueError(f"expected `off`, `auto` or a version, found {version!r}; write it like 2.5")
        return version

    def wish(self) -> Mapping[str, Any]:
        """Return the path for RDMA, and the version of GDRCopy if it is wanted."""
        return {"rdma": self.rdma, "gdrcopy": None if self.gdrcopy == "off" else self.gdrcopy}
