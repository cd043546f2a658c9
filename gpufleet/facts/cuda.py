"""What the host knows of CUDA toolkits: those this project installed, and what each says of itself."""

from __future__ import annotations

from pyinfra.api.facts import FactBase
from typing_extensions import override

#: Toolkits that were installed from here, one a line; others on the host belong to somebody else.
RECORD = "/etc/gpufleet/cuda-toolkits"


class ManagedToolkits(FactBase[list[str]]):
    """Toolkits that the role installed, such as `12.9`, whether they are still wanted or not."""

    default = list

    @override
    def command(self) -> str:
        """Read the record."""
        return f"cat {RECORD} 2>/dev/null || true"

    @override
    def process(self, output: list[str]) -> list[str]:
        """Leave comments out."""
        return [line.strip() for line in output if line.strip() and not line.startswith("#")]


class CompilerReleases(FactBase[dict[str, str]]):
    """Version that each nvcc on the host says of itself: `{"/usr/local/cuda-12.9/bin/nvcc": "12.9.86"}`."""

    default = dict

    @override
    def command(self) -> str:
        """Ask those of NVIDIA's toolkits and of the distribution's; one that cannot run says nothing."""
        return (
            "for c in /usr/local/cuda-*/bin/nvcc /usr/bin/nvcc; do "
            'v=$("$c" --version 2>/dev/null | sed -n "s/.*release [0-9.]*, V//p"); '
            '[ -z "$v" ] || echo "$c $v"; done; true'
        )

    @override
    def process(self, output: list[str]) -> dict[str, str]:
        """Parse `/usr/local/cuda-12.9/bin/nvcc 12.9.86`."""
        return dict(line.split(" ", 1) for line in output if " " in line)
