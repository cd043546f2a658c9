"""Error counters of RDMA ports as the kernel shows them, under the names that ibqueryerrors prints."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pyinfra.api.facts import FactBase
from typing_extensions import override

#: The kernel's name of each counter (Documentation/ABI/stable/sysfs-class-infiniband).
NAMES: Mapping[str, str] = {
    "symbol_error": "SymbolErrorCounter",
    "link_error_recovery": "LinkErrorRecoveryCounter",
    "link_downed": "LinkDownedCounter",
    "port_rcv_errors": "PortRcvErrors",
    "port_rcv_remote_physical_errors": "PortRcvRemotePhysicalErrors",
    "port_rcv_constraint_errors": "PortRcvConstraintErrors",
    "port_xmit_constraint_errors": "PortXmitConstraintErrors",
    "local_link_integrity_errors": "LocalLinkIntegrityErrors",
    "excessive_buffer_overrun_errors": "ExcessiveBufferOverrunErrors",
    "VL15_dropped": "VL15Dropped",
}
_FILES = "/sys/class/infiniband/*/ports/*/counters/"
_LINE = re.compile(
    r"/sys/class/infiniband/(?P<device>[^/]+)/ports/(?P<port>\d+)/counters/(?P<name>\w+):(?P<value>\d+)$"
)


@dataclass(frozen=True)
class PortCounters:
    """Counters above zero by `device/port`, and the seconds since the kernel started."""

    uptime: float = 0
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


class RdmaCounters(FactBase[PortCounters]):
    """Error counters of every port of every RDMA device, with how long the host has been up."""

    default = PortCounters

    @override
    def command(self) -> str:
        """Read each of them on every port; one that the hardware does not have cannot be read."""
        names = " ".join(NAMES)
        return (
            f'read -r up rest </proc/uptime; echo "uptime $up"; for c in {names}; do grep -sH "" {_FILES}$c; done; true'
        )

    @override
    def process(self, output: Iterable[str]) -> PortCounters:
        """Parse `uptime 3600.25` and `/sys/class/infiniband/mlx5_0/ports/1/counters/symbol_error:3`."""
        uptime, counts = 0.0, defaultdict[str, dict[str, int]](dict)
        for line in output:
            if line.startswith("uptime "):
                uptime = float(line.split()[1])
            elif (match := _LINE.match(line)) and match["name"] in NAMES and int(match["value"]):
                counts[f"{match['device']}/{match['port']}"][NAMES[match["name"]]] = int(match["value"])
        return PortCounters(uptime, dict(counts))
