"""Options of the role `nvidia_driver`."""

from __future__ import annotations

import re
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from gpufleet.options import RoleOptions
from roles.nvidia_driver.builds import BUILDS, branch

#: An upstream driver version such as 535.261.03, alone or as the start of a full Debian version.
VERSION = re.compile(r"\d{3}\.\d{2,3}(\.\d{2})?(-[A-Za-z0-9.+~]+)?")
OPTION_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


class NvidiaDriver(RoleOptions, key="nvidia_driver"):
    """NVIDIA kernel driver and its userspace, from the distribution's non-free packages."""

    state: Literal["present", "absent"] = Field("present", description="Install the driver, or remove all of it.")
    version: str | None = Field(
        None,
        description="Exact upstream version such as `535.261.03`, or a package version such as `535.261.03-1`.",
    )
    flavor: Literal["auto", "open", "proprietary"] = Field(
        "auto", description="Kernel module build; `auto` decides by the generation of the GPUs and the driver branch."
    )
    persistence: bool = Field(True, description="Run nvidia-persistenced, which keeps idle GPUs initialized.")
    module_options: dict[str, int | str] = Field(
        {}, description="Options of the `nvidia` kernel module, such as `NVreg_RestrictProfilingToAdminUsers: 0`."
    )
    reboot: Literal["never", "if-required"] = Field(
        "never", description="Reboot where the loaded module could not be replaced; `never` leaves that to others."
    )
    reboot_timeout: int = Field(1200, gt=0, description="Seconds a host may take to come back from a reboot.")
    install_timeout: int = Field(2400, gt=0, description="Seconds one package installation or DKMS build may take.")

    @field_validator("version")
    @classmethod
    def _version_is_exact(cls, version: str | None) -> str | None:
        if version is not None and not VERSION.fullmatch(version):
            raise ValueError(f"expected an exact version, found {version!r}; write it like 535.261.03")
        return version

    @field_validator("module_options")
    @classmethod
    def _options_fit_one_line(cls, options: dict[str, int | str]) -> dict[str, int | str]:
        for name, value in options.items():
            if not OPTION_NAME.fullmatch(name) or not re.fullmatch(r"[^\s#]+", str(value)):
                raise ValueError(f"expected names and values without blanks, found {name!r}: {value!r}; correct it")
        return options

    @model_validator(mode="after")
    def _combination_exists(self) -> Self:
        # Hosts without any data of this role are CPU hosts as a rule: only data that was given is held to be complete.
        if self.state == "present" and self.model_fields_set and self.version is None:
            raise ValueError("expected a version for a driver that shall be there, found none; add one")
        if self.version and self.flavor != "auto" and branch(self.version) not in BUILDS[self.flavor].branches:
            problem = f"expected a branch with {self.flavor} kernel modules, found version {self.version}"
            raise ValueError(f"{problem}; choose another version or flavor")
        return self
