"""Packages whose files were put beside a toolkit instead of being installed."""

from __future__ import annotations

from dataclasses import dataclass

from pyinfra.api.facts import FactBase
from typing_extensions import override

#: One file for each: `package version directory` in its first line, the files it brought in the others.
MANIFESTS = "/var/lib/gpufleet/unpacked"


@dataclass(frozen=True, order=True)
class UnpackedPackage:
    """One package, its version, and the directory that got its files."""

    name: str
    version: str
    directory: str


class UnpackedPackages(FactBase[list[UnpackedPackage]]):
    """Packages that were unpacked and whose files are all still there."""

    default = list

    @override
    def command(self) -> str:
        """Read the manifests, and mark those of which a file is missing."""
        return (
            f'for m in {MANIFESTS}/*; do [ -f "$m" ] || continue; read -r n v d <"$m"; '
            'tail -n +2 "$m" | { while read -r f; do [ -e "$f" ] || { v="damaged"; break; }; done; '
            'echo "$n $v $d"; }; done; true'
        )

    @override
    def process(self, output: list[str]) -> list[UnpackedPackage]:
        """Parse `libnccl2 2.28.3-1+cuda12.9 /usr/local/cuda-12.9`; a damaged one has that word for a version."""
        return sorted(UnpackedPackage(*line.split()) for line in output if len(line.split()) == 3)
