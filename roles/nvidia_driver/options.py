"""Options of the role `nvidia_driver`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from gpufleet.errors import Fault, GpufleetError
from gpufleet.options import HasData, RoleOptions, mok
from gpufleet.options.mok import MachineOwnerKey
from gpufleet.options.secret import Secret

#: A branch such as 580, an upstream version such as 535.261.03, or a full Debian version that begins with one.
VERSION = re.compile(r"[1-9]\d{2}(\.\d{2,3}(\.\d{2})?(-[A-Za-z0-9.+~]+)?)?")
OPTION_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
#: Where faults of the key are.
KEY = "nvidia_driver.secure_boot"


class SecureBoot(BaseModel):
    """The machine owner key that signs modules built on hosts with Secure Boot."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mok_key: Secret | None = Field(
        default=None,
        description='Private key without a password: `{"file": "mok.key"}`, `{"env": "MOK_KEY"}` or '
        '`{"command": ["pass", "mok"]}`, all on the controller.',
    )
    mok_certificate: Secret | None = Field(
        default=None, description="Its certificate, which `mokutil --import` enrolled on every host; PEM or DER."
    )

    @model_validator(mode="after")
    def _both_halves(self) -> Self:
        if (self.mok_key is None) != (self.mok_certificate is None):
            found = "mok_certificate" if self.mok_key is None else "mok_key"
            raise ValueError(f"expected mok_key and mok_certificate together, found {found} alone; add the other")
        return self

    def pair(self) -> MachineOwnerKey | None:
        """Read both halves, None where none is named. Raises GpufleetError where they cannot be used."""
        if self.mok_key is None or self.mok_certificate is None:
            return None
        certificate = self.mok_certificate.read(f"{KEY}.mok_certificate")
        return mok.pair(self.mok_key.read(f"{KEY}.mok_key"), certificate, KEY)


class Precompiled(BaseModel):
    """Where modules come from that were built once."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    repository: str = Field(
        default="",
        description="Directory on the controller, or an http(s) URL that hosts reach; empty for gpufleet's own.",
    )
    public_key: str | None = Field(
        default=None, description="OpenSSH public key that signs the builds; none takes the one in the directory."
    )

    @field_validator("public_key")
    @classmethod
    def _is_a_public_key(cls, key: str | None) -> str | None:
        if key is not None and not re.fullmatch(r"(ssh|ecdsa|sk)-\S+ [A-Za-z0-9+/=]+( .*)?", key.strip()):
            raise ValueError(
                "expected a line such as `ssh-ed25519 AAAA...`, found another; take it from signing-key.pub"
            )
        return key.strip() if key else None

    @model_validator(mode="after")
    def _websites_need_a_key(self) -> Self:
        if self.repository.startswith(("http://", "https://")) and self.public_key is None:
            raise ValueError("expected public_key beside a URL, found none; a website cannot vouch for itself")
        return self


class NvidiaDriver(RoleOptions, key="nvidia_driver"):
    """NVIDIA kernel driver and its userspace, from NVIDIA's repositories or the distribution's."""

    state: Literal["present", "absent"] = Field("present", description="Install the driver, or remove all of it.")
    version: str | None = Field(
        None,
        description="Branch such as `580`, whose newest release in the matrix is taken, exact upstream version such as "
        "`580.95.05`, or a package version such as `535.261.03-1`.",
    )
    source: Literal["distribution", "nvidia"] = Field(
        "distribution",
        description="Whose packages: the distribution's own (Debian has some), or NVIDIA's repository (all branches on "
        "all systems).",
    )
    flavor: Literal["auto", "open", "proprietary"] = Field(
        "auto", description="Kernel module build; `auto` decides by the generation of the GPUs and the driver branch."
    )
    packages: Literal["compute", "full"] = Field(
        "compute", description="Without display libraries, as clusters need it, or with them."
    )
    modules: Literal["dkms", "precompiled"] = Field(
        "dkms", description="Build the kernel modules on each host, or install those that were built elsewhere."
    )
    precompiled: Precompiled = Field(
        default_factory=Precompiled, description="Where `modules: precompiled` takes its builds from."
    )
    persistence: bool = Field(True, description="Run nvidia-persistenced, which keeps idle GPUs initialized.")
    module_options: dict[str, int | str] = Field(
        {}, description="Options of the `nvidia` kernel module, such as `NVreg_RestrictProfilingToAdminUsers: 0`."
    )
    secure_boot: SecureBoot = Field(default_factory=SecureBoot, description="Signing of modules that hosts build.")
    reboot: Literal["never", "if-required"] = Field(
        "never", description="Reboot where the loaded module could not be replaced; `never` leaves that to others."
    )
    reboot_timeout: int = Field(1200, gt=0, description="Seconds a host may take to come back from a reboot.")
    install_timeout: int = Field(2400, gt=0, description="Seconds one package installation or DKMS build may take.")

    def wish(self) -> Mapping[str, Any]:
        """Return what this role wants of the stack; nothing where the driver is to go, or to be none."""
        if self.state == "absent" or self.version is None:
            return {}
        return {
            "driver": self.version,
            "flavor": self.flavor,
            "source": self.source,
            "profile": self.packages,
            "modules": self.modules,
            "persistence": self.persistence,
        }

    def faults(self, host: HasData) -> Iterable[Fault]:
        """Return what is wrong with the signing key, so that no host is touched before it can be used."""
        try:
            self.secure_boot.pair()
        except GpufleetError as error:
            return [Fault(error.where, f"expected {error.expected}, found {error.found}", error.cure)]
        return []

    @field_validator("version")
    @classmethod
    def _version_is_one(cls, version: str | None) -> str | None:
        if version is not None and not VERSION.fullmatch(version):
            raise ValueError(
                f"expected a branch or an exact version, found {version!r}; write it like 580 or 580.95.05"
            )
        return version

    @field_validator("source", mode="before")
    @classmethod
    def _no_runfile(cls, source: Any) -> Any:
        if source == "runfile":
            problem = (
                "expected packages, found runfile: its files belong to no package, so nothing pins or removes them"
            )
            raise ValueError(f"{problem}; choose nvidia or distribution")
        return source

    @field_validator("module_options")
    @classmethod
    def _options_fit_one_line(cls, options: dict[str, int | str]) -> dict[str, int | str]:
        for name, value in options.items():
            if not OPTION_NAME.fullmatch(name) or not re.fullmatch(r"[^\s#]+", str(value)):
                raise ValueError(f"expected names and values without blanks, found {name!r}: {value!r}; correct it")
        return options

    @model_validator(mode="after")
    def _version_is_given(self) -> Self:
        # Hosts without any data of this role are CPU hosts as a rule: only data that was given is held to be complete.
        if self.state == "present" and self.model_fields_set and self.version is None:
            raise ValueError("expected a version for a driver that shall be there, found none; add one")
        return self
