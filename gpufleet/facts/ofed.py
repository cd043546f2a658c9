"""NVIDIA's network stack on the host: builds of its modules beside the driver's, and modules of another build."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from pyinfra.api.facts import FactBase
from typing_extensions import override

#: The program by which MLNX_OFED and DOCA-OFED remove themselves.
UNINSTALLER = "/usr/sbin/ofed_uninstall.sh"


@dataclass(frozen=True, order=True)
class Build:
    """One build by DKMS for one kernel, with its time in Unix seconds."""

    module: str
    version: str
    built: int


class DkmsBuilds(FactBase[list[Build]]):
    """Builds of modules by DKMS for one kernel; names may have a `*` for any text."""

    default = list

    @override
    def command(self, modules: Sequence[str], kernel: str) -> str:
        """Look where DKMS keeps them, so that no time of an installed copy counts."""
        places = " ".join(
            f"/var/lib/dkms/{'*'.join(map(shlex.quote, name.split('*')))}/*/{shlex.quote(kernel)}/*/module"
            for name in modules
        )
        return (
            f'for m in {places}; do [ -d "$m" ] || continue; p=${{m#/var/lib/dkms/}}; '
            't=$(stat -c %Y "$m"/* 2>/dev/null | sort -n | tail -n 1); '
            'r=${p#*/}; echo "${p%%/*} ${r%%/*} ${t:-0}"; done; true'
        )

    @override
    def process(self, output: list[str]) -> list[Build]:
        """Parse `nvidia 580.105.08 1763888400`."""
        rows = (line.split() for line in output if line.strip())
        return sorted(Build(module, version, int(built)) for module, version, built in rows)


class ReplacedModules(FactBase[list[str]]):
    """Loaded modules among these whose file on disk is of another build; a reboot takes the file."""

    default = list

    @override
    def command(self, modules: Sequence[str]) -> str:
        """Compare the checksums of their sources; the kernel's own have none where it is built without them."""
        return (
            f"for m in {shlex.join(modules)}; do [ -r /sys/module/$m/initstate ] || continue; "
            "l=$(cat /sys/module/$m/srcversion 2>/dev/null); d=$(modinfo -F srcversion $m 2>/dev/null) || continue; "
            '[ "$l" = "$d" ] || echo $m; done; true'
        )

    @override
    def process(self, output: list[str]) -> list[str]:
        """One module a line."""
        return [line.strip() for line in output if line.strip()]


class HasUninstaller(FactBase[bool]):
    """Whether a stack is there that removes itself."""

    default = bool

    @override
    def command(self) -> str:
        """Look for the program."""
        return f"[ ! -x {UNINSTALLER} ] || echo yes"

    @override
    def process(self, output: list[str]) -> bool:
        """Tell the answer from none."""
        return bool(output)
