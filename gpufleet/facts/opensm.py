"""OpenSM as this suite runs it: one instance for each port, and what is there of it on the host."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field

from pyinfra.api.facts import FactBase
from typing_extensions import override

from gpufleet.facts.gpu_daemons import GpuDaemon, GpuDaemonState

UNITS = "/etc/systemd/system"
CONFIGURATION = "/etc/gpufleet/opensm"
PARTITIONS = f"{CONFIGURATION}/partitions.conf"
LOGS = "/var/log/gpufleet-opensm"
CACHE = "/var/cache/gpufleet-opensm"
#: Where each instance leaves a mark of the last time that it read its partitions; /run ends with the boot.
MARKS = "/run/gpufleet-opensm"
PROGRAM = "/usr/sbin/opensm"

_GID = re.compile(r"/([^/]+)/ports/(\d+)/gids/0:[0-9a-f:]*((?::[0-9a-f]{4}){4})$")


def unit(instance: str) -> str:
    """Return the unit of an instance."""
    return f"gpufleet-opensm@{instance}.service"


class PortGuids(FactBase[dict[str, str]]):
    """GUID of each InfiniBand port of the host, by device and port: `{"mlx5_0/1": "0xa088c2030012ab34"}`."""

    default = dict

    @override
    def command(self) -> str:
        """Read sysfs, and ask ibstat about devices whose tables are not there; Ethernet ports have no subnet."""
        return (
            "for p in /sys/class/infiniband/*/ports/*; do "
            'grep -qs Ethernet "$p/link_layer" || grep -sH : "$p/gids/0"; done; '
            "ibstat 2>/dev/null; true"
        )

    @override
    def process(self, output: list[str]) -> dict[str, str]:
        """Parse `/sys/class/infiniband/mlx5_0/ports/1/gids/0:fe80:...:a088:c203:0012:ab34` and ibstat's blocks."""
        tables = [match for line in output if (match := _GID.search(line))]
        found = {f"{match[1]}/{match[2]}": f"0x{match[3].replace(':', '')}" for match in tables}
        return _of_ibstat(output) | found


def _of_ibstat(output: list[str]) -> dict[str, str]:
    guids: dict[str, str] = {}
    device = port = guid = ""
    for line in (line.strip() for line in output):
        if line.startswith("CA '"):
            device = line.split("'")[1]
        elif line.startswith("Port ") and line.endswith(":"):
            port = line.removeprefix("Port ").removesuffix(":")
        elif line.startswith("Port GUID: "):
            guid = line.removeprefix("Port GUID: ")
        elif line.startswith("Link layer: ") and "Ethernet" not in line:
            guids[f"{device}/{port}"] = guid
    return guids


class OwnInstances(FactBase[list[str]]):
    """Names of the instances that were set up from here, enabled or with a configuration alone."""

    default = list

    @override
    def command(self) -> str:
        """List their configurations, and the links by which systemd starts them."""
        return f"ls -d {CONFIGURATION}/*.opts {UNITS}/*.wants/{unit('*')} 2>/dev/null; true"

    @override
    def process(self, output: list[str]) -> list[str]:
        """Parse `/etc/gpufleet/opensm/mlx5_0-1.opts` and `.../gpufleet-opensm@mlx5_0-1.service`."""
        names = (line.strip().rpartition("/")[2].rpartition(".")[0] for line in output if line.strip())
        return sorted({name.removeprefix("gpufleet-opensm@") for name in names})


class OwnTraces(FactBase[list[str]]):
    """Directories of configuration, logs and cache that were made from here."""

    default = list

    @override
    def command(self) -> str:
        """List those that are there."""
        return f"ls -d {CONFIGURATION} {LOGS} {CACHE} {MARKS} 2>/dev/null; true"

    @override
    def process(self, output: list[str]) -> list[str]:
        """One path a line."""
        return [line.strip() for line in output if line.strip()]


@dataclass(frozen=True)
class Instance:
    """One OpenSM, and whether it has yet to read partitions that changed after it last did."""

    daemon: GpuDaemon = field(default_factory=GpuDaemon)
    has_unread_partitions: bool = False


class InstanceState(FactBase[Instance]):
    """State of one instance beside the files that it reads."""

    default = Instance

    @override
    def command(self, instance: str) -> str:
        """Ask systemd, and compare the partitions' time with the mark."""
        files = [
            PROGRAM,
            f"{UNITS}/{unit('')}",
            f"{CONFIGURATION}/{instance}.opts",
            f"{CONFIGURATION}/{instance}.roots",
        ]
        mark = shlex.quote(f"{MARKS}/{instance}")
        return f"[ ! {PARTITIONS} -nt {mark} ] || echo Unread=yes; {GpuDaemonState().command(unit(instance), files)}"

    @override
    def process(self, output: list[str]) -> Instance:
        """The first line is ours, where it is there."""
        return Instance(GpuDaemonState().process(output), "Unread=yes" in output)
