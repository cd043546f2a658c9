"""How the processors choose their frequency."""

from __future__ import annotations

from collections.abc import Iterable

from pyinfra.api.facts import FactBase
from typing_extensions import override

#: One file per processor; none where firmware or a hypervisor sets the frequency.
GOVERNOR_FILES = "/sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor"


class CpuGovernors(FactBase[dict[str, int]]):
    """How many processors run each frequency governor; empty on a host without cpufreq."""

    default = dict

    @override
    def command(self) -> str:
        """Count on the host: servers have hundreds of processors."""
        return f"cat {GOVERNOR_FILES} 2>/dev/null | sort | uniq -c"

    @override
    def process(self, output: Iterable[str]) -> dict[str, int]:
        """Parse `    128 performance`."""
        rows = [line.split() for line in output]
        return {name: int(count) for count, name in rows}
