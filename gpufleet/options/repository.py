"""Another place for a vendor's repository: the site's mirror, or none of the internet at all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from gpufleet.stack.resolution import Repository


class RepositoryOptions(BaseModel):
    """What differs from the vendor's own repository; what is not given is as the matrix has it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: str | None = Field(
        default=None, description="URL that stands for `https://developer.download.nvidia.com/`, such as a mirror's."
    )
    path: str | None = Field(default=None, description="Path below it; a mirror as a rule keeps the vendor's own.")
    key_fingerprint: str | None = Field(
        default=None,
        description="Fingerprint of the key, forty hexadecimal digits, where the mirror signs with its own.",
    )
    key_file: Path | None = Field(
        default=None,
        description="Armored key on the controller, for hosts that cannot fetch it; else the mirror has it.",
    )

    @field_validator("key_fingerprint")
    @classmethod
    def _fingerprint_is_whole(cls, fingerprint: str | None) -> str | None:
        digits = (fingerprint or "").replace(" ", "").upper()
        if fingerprint is not None and (len(digits) != 40 or set(digits) - set("0123456789ABCDEF")):
            cure = "`gpg --show-keys` prints it"
            raise ValueError(f"expected forty hexadecimal digits, found {fingerprint!r}; {cure}")
        return digits or None

    @field_validator("key_file")
    @classmethod
    def _key_is_there(cls, path: Path | None) -> Path | None:
        if path is None:
            return None
        cure = "put the armored key there, or correct the path"
        if not path.is_file():
            raise ValueError(f"expected a file on this controller, found no {path}; {cure}")
        if not path.read_bytes().lstrip().startswith(b"-----BEGIN PGP PUBLIC KEY BLOCK-----"):
            raise ValueError(f"expected an armored OpenPGP key, found something else in {path}; {cure}")
        return path

    @field_validator("base_url")
    @classmethod
    def _is_a_url(cls, url: str | None) -> str | None:
        if url is not None and "://" not in url:
            raise ValueError(f"expected a URL, found {url!r}; write it like https://mirror.example.org/nvidia/")
        return url

    def applied(self, repository: Repository) -> Repository:
        """Return the repository with what was given in place of the vendor's own."""
        given: dict[str, Any] = {"base_url": self.base_url, "path": self.path, "fingerprint": self.key_fingerprint}
        changed = replace(repository, **{name: value for name, value in given.items() if value is not None})
        return replace(changed, key=self.key_file.read_text()) if self.key_file else changed
