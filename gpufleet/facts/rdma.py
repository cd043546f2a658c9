"""RDMA devices as the kernel shows them: where they sit, what they are called, and the state of their ports."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass

from pyinfra.api.facts import FactBase
from typing_extensions import override

from gpufleet.facts.hardware import MELLANOX

_RATE = re.compile(r"(?P<rate>[\d.]+) Gb/sec(?: \((?P<width>\d+)X)?")


@dataclass(frozen=True, order=True)
class RdmaPort:
    """One port of a device: link layer, state and physical state in the kernel's words, rate in Gb/s, lanes."""

    number: int
    link_layer: str = ""
    state: str = ""
    physical: str = ""
    rate: float = 0
    width: int = 0


@dataclass(frozen=True, order=True)
class RdmaDevice:
    """One RDMA device; `guid` has the kernel's form, `numa` is -1 where the firmware names no node."""

    name: str
    pci: str
    guid: str = ""
    numa: int = -1
    ports: tuple[RdmaPort, ...] = ()


class RdmaDevices(FactBase[list[RdmaDevice]]):
    """RDMA devices by name, from sysfs: no tool of the network stack is needed."""

    default = list

    @override
    def command(self) -> str:
        """Print a line for each device and one for each of its ports, fields parted by `|`."""
        return (
            "for d in /sys/class/infiniband/*; do "
            '[ -e "$d" ] || continue; n=${d##*/}; p=$(readlink -f "$d/device"); '
            'echo "device|$n|${p##*/}|$(cat "$d/node_guid" 2>/dev/null)|$(cat "$d/device/numa_node" 2>/dev/null)"; '
            'for q in "$d"/ports/*; do [ -e "$q" ] || continue; '
            'echo "port|$n|${q##*/}|$(cat "$q/link_layer" 2>/dev/null)|$(cat "$q/state" 2>/dev/null)'
            '|$(cat "$q/phys_state" 2>/dev/null)|$(cat "$q/rate" 2>/dev/null)"; done; done; true'
        )

    @override
    def process(self, output: list[str]) -> list[RdmaDevice]:
        """Parse `device|mlx5_0|0000:18:00.0|a088:c203:00ab:1234|0`, `port|mlx5_0|1|InfiniBand|4: ACTIVE|...`."""
        rows = [line.strip().split("|") for line in output if "|" in line]
        ports: dict[str, list[RdmaPort]] = defaultdict(list)
        for row in rows:
            if row[0] == "port":
                ports[row[1]].append(_port(row[2:]))
        return sorted(
            RdmaDevice(name, pci, guid, int(numa or -1), tuple(sorted(ports[name])))
            for kind, name, pci, guid, numa, *_ in (row for row in rows if row[0] == "device")
        )


def _port(fields: list[str]) -> RdmaPort:
    number, link_layer, state, physical, rate = fields
    match = _RATE.match(rate)
    speed, width = (float(match["rate"]), int(match["width"] or 0)) if match else (0.0, 0)
    return RdmaPort(int(number), link_layer, _word(state), _word(physical), speed, width)


def _word(numbered: str) -> str:
    """Return `ACTIVE` of the kernel's `4: ACTIVE`."""
    return numbered.partition(": ")[2] or numbered


class RdmaAdapters(FactBase[list[str]]):
    """PCI addresses of Mellanox network functions, in their order; virtual functions are left out."""

    default = list

    @override
    def command(self) -> str:
        """Print the address of each function of class 02 that hangs on no other one."""
        return (
            "for d in /sys/bus/pci/devices/*; do "
            '[ -r "$d/vendor" ] && [ -r "$d/class" ] && [ ! -e "$d/physfn" ] || continue; '
            'read -r v <"$d/vendor"; read -r c <"$d/class"; '
            f'case "$v $c" in "0x{MELLANOX} 0x02"*) echo "${{d##*/}}";; esac; done; true'
        )

    @override
    def process(self, output: list[str]) -> list[str]:
        """One address a line."""
        return sorted(line.strip() for line in output if line.strip())


class RdmaUsers(FactBase[list[str]]):
    """Processes that have an RDMA device open, as `process 4242 (train-job)`."""

    default = list

    @override
    def command(self) -> str:
        """Read /proc; needs root to see the processes of others."""
        return (
            "find /proc/[0-9]*/fd -lname '/dev/infiniband/uverbs*' -printf '%h\\n' 2>/dev/null | sort -u | "
            'while read -r d; do p="${d%/fd}"; c=$(cat "$p/comm") || continue; echo "process ${p#/proc/} ($c)"; done '
            "2>/dev/null; true"
        )

    @override
    def process(self, output: list[str]) -> list[str]:
        """One process a line."""
        return [line.strip() for line in output if line.strip()]
