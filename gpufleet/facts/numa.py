"""NUMA nodes, and processors that are online."""

from __future__ import annotations

from collections import defaultdict

from pyinfra.api.facts import FactBase
from typing_extensions import override

from gpufleet.kubernetes.memory import NumaNode

_KIBIBYTE = 1024


class NumaNodes(FactBase[list[NumaNode]]):
    """Every NUMA node with its memory beside huge pages; a kernel without NUMA has node 0 with all of it."""

    default = list

    @override
    def command(self) -> str:
        """Print memory, processors and huge pages of each node, each line after the node's number, in KiB."""
        return (
            "for n in /sys/devices/system/node/node[0-9]*; do "
            '[ -r "$n/meminfo" ] || { awk \'/^MemTotal:/ {print 0, "memory", $2; print 0, "cpus 0"}\' /proc/meminfo; '
            "continue; }; "
            'i=${n##*/node}; awk -v i="$i" \'$3 == "MemTotal:" {print i, "memory", $4}\' "$n/meminfo"; '
            'echo "$i cpus $(cat "$n/cpulist" 2>/dev/null)"; '
            'for h in "$n"/hugepages/hugepages-*kB; do [ -r "$h/nr_hugepages" ] || continue; '
            'k=${h##*hugepages-}; echo "$i huge ${k%kB} $(cat "$h/nr_hugepages")"; done; done'
        )

    @override
    def process(self, output: list[str]) -> list[NumaNode]:
        """Parse `0 memory 1056571392`, `0 cpus 0-55,112-167` and `0 huge 2048 512`."""
        memory: dict[int, int] = defaultdict(int)
        huge: dict[int, int] = defaultdict(int)
        with_cpus = set()
        for number, kind, *values in (line.split() for line in output if line.strip()):
            if kind == "memory":
                memory[int(number)] += int(values[0]) * _KIBIBYTE
            elif kind == "huge":
                huge[int(number)] += int(values[0]) * int(values[1]) * _KIBIBYTE
            elif values:
                with_cpus.add(int(number))
        sizes = ((number, size, huge[number]) for number, size in sorted(memory.items()))
        return [NumaNode(number, size - pages, number in with_cpus, pages) for number, size, pages in sizes]


class OnlineCpus(FactBase[str]):
    """Processors that are online, as the kernel writes them: `0-127`."""

    default = str

    @override
    def command(self) -> str:
        """Read the kernel's list."""
        return "cat /sys/devices/system/cpu/online 2>/dev/null; true"

    @override
    def process(self, output: list[str]) -> str:
        """The only line."""
        return output[0].strip() if output else ""
