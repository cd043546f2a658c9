"""Plugins of the container network interface, by which pods get their network."""

from __future__ import annotations

from pyinfra.api.facts import FactBase
from typing_extensions import override

#: Where network plugins are looked for, and where distributions put theirs (Debian and Ubuntu; Enterprise Linux).
DIRECTORY = "/opt/cni/bin"
PACKAGED = ("/usr/lib/cni", "/usr/libexec/cni")


class UnlinkedPlugins(FactBase[list[str]]):
    """Network plugins of the distribution that are not where containerd looks, by their paths."""

    default = list

    @override
    def command(self) -> str:
        """Look at every one of them."""
        folders = " ".join(f"{folder}/*" for folder in PACKAGED)
        return f'for p in {folders}; do [ ! -x "$p" ] || [ -e "{DIRECTORY}/${{p##*/}}" ] || echo "$p"; done; true'

    @override
    def process(self, output: list[str]) -> list[str]:
        """One path a line."""
        return [line.strip() for line in output if line.strip()]
