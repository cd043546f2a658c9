"""Options of the role `container_toolkit`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, field_validator

from gpufleet.options import RoleOptions


class ContainerToolkit(RoleOptions, key="container_toolkit"):
    """NVIDIA's container toolkit, its runtime at containerd, and how containers find GPUs."""

    state: Literal["present", "absent"] = Field(
        "present", description="Install it where a GPU is, or remove it, wherever it is."
    )
    version: str = Field(
        "auto",
        description="`auto` takes the newest that the matrix knows for driver and containerd; else like `1.19.1`.",
    )
    mode: Literal["auto", "cdi", "legacy"] = Field(
        "auto",
        description="How the runtime `nvidia` gives GPUs to a container: `auto` describes them anew for each one from "
        "1.18 on, `cdi` takes them from the specification, `legacy` leaves them to a hook, which `systemctl "
        "daemon-reload` undoes; `auto` is that too before 1.18.",
    )
    default_runtime: bool = Field(
        False, description="Run pods by `nvidia` that name no runtime class; else they need the class of that name."
    )
    devices_by_environment: bool = Field(
        False,
        description="Give a container without privileges what its NVIDIA_VISIBLE_DEVICES asks for: images say `all` "
        "there, and take GPUs that nobody gave them.",
    )
    devices_by_mounts: bool = Field(
        True, description="Give what the device plugin mounts (its strategy `volume-mounts`), which no image can fake."
    )
    log_level: Literal["error", "warning", "info", "debug"] = Field("info", description="What the runtime logs.")
    install_timeout: int = Field(1800, gt=0, description="Seconds one package installation may take.")

    @field_validator("version")
    @classmethod
    def _version_is_exact(cls, version: str) -> str:
        if not re.fullmatch(r"auto|\d+\.\d+\.\d+", version):
            raise ValueError(f"expected `auto` or a version, found {version!r}; write it like 1.19.1")
        return version

    def wish(self) -> Mapping[str, Any]:
        """Return the release, if any."""
        return {} if self.state == "absent" else {"toolkit": self.version, "toolkit_installed": True}
