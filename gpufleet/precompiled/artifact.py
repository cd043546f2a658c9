"""The manifest of one build: which package holds it, and the checksum that the signature covers."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from gpufleet.errors import GpufleetError
from gpufleet.precompiled.key import ModuleKey

#: What an operator does about a manifest or a package that is not what it should be.
REBUILD = "remove it from the repository and run `gpufleet modules build` again"
_READ = 1 << 20


class Artifact(BaseModel):
    """One package of kernel modules, as its manifest describes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    release: str
    arch: str
    kernel: str
    driver: str
    flavor: str
    package: str = Field(description="Name of the package that holds the modules.")
    version: str = Field(description="Version of that package, as the host's package tool knows it.")
    file: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._+~-]+$")] = Field(
        description="Name of the package's file, beside the manifest."
    )
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    signer: str = Field(description="Common name of the key that signed the modules for Secure Boot; empty for none.")
    built_on: str = Field(description="Name of the host that built it.")
    built_at: str = Field(description="Time of the build, UTC, ISO 8601.")

    @property
    def key(self) -> ModuleKey:
        """What this build fits."""
        return ModuleKey(self.release, self.arch, self.kernel, self.driver, self.flavor)

    @classmethod
    def read(cls, text: str, where: str, key: ModuleKey) -> Self:
        """Read a manifest and see that it is of this build; raises GpufleetError where it is not."""
        try:
            artifact = cls.model_validate_json(text)
        except ValidationError as error:
            found = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
            raise GpufleetError(where, expected="a manifest of a build", found=found, cure=REBUILD) from None
        if artifact.key != key:
            raise GpufleetError(where, expected=str(key), found=str(artifact.key), cure=REBUILD)
        return artifact


def checksum(path: Path) -> str:
    """SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_READ):
            digest.update(block)
    return digest.hexdigest()
