"""Mirrors of image registries that were declared on the host."""

from __future__ import annotations

from pyinfra.api.facts import FactBase
from typing_extensions import override

from gpufleet.containers.schema import REGISTRIES

#: First words of what this suite writes below certs.d.
MARK = "# Managed by gpufleet"


class OwnRegistries(FactBase[list[str]]):
    """Names of the registries whose mirrors were written from here."""

    default = list

    @override
    def command(self) -> str:
        """Tell our files from the administrator's by their first line."""
        return f"grep -ls -m 1 '^{MARK}' {REGISTRIES}/*/hosts.toml; true"

    @override
    def process(self, output: list[str]) -> list[str]:
        """Parse `/etc/containerd/certs.d/nvcr.io/hosts.toml`."""
        return sorted(line.strip().split("/")[-2] for line in output if line.strip())
