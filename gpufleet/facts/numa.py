"""NUMA nodes, huge pages, and processors that are online."""

from __future__ import annotations

from collections import defaultdict

from pyinfra.api.facts import FactBase
from typing_extensions import override

from gpufleet.kubernetes.memory import HugePages, NumaNode

_KIBIBYTE = 1024


class NumaNodes(FactBase[list[NumaNode]]):
    """Every NUMA node, also one without memory; a kernel without NUMA has node 0 with all memory."""

    default = list

    @override
    def command(self) -> str:
        """Print memory, processors and huge pages of each node, each line after the node's number, in KiB."""
        return (
            "for n in /sys/devices/system/node/node[0-9]*; do "
            '[ -d "$n" ] || { awk \'/^MemTotal:/ {print 0, "memory", $2; print 0, "cpus 0"}\' /proc/meminfo; '
            "continue; }; "
            'i=${n##*/node}; echo "$i memory $(awk \'$3 == "MemTotal:" {print $4}\' "$n/meminfo" 2>/dev/null)"; '
            'echo "$i cpus $(cat "$n/cpulist" 2>/dev/null)"; '
            'for h in "$n"/hugepages/hugepages-*kB; do [ -r "$h/nr_hugepages" ] || continue; '
            'k=${h##*hugepages-}; echo "$i huge ${k%kB} $(cat "$h/nr_hugepages")"; done; done'
        )

    @override
    def process(self, output: list[str]) -> list[NumaNode]:
        """Parse `0 memory 1056571392`, `0 cpus 0-55,112-167` and `0 huge 2048 512`; a node may say no memory."""
        memory: dict[int, int] = defaultdict(int)
        huge: dict[int, int] = defaultdict(int)
        with_cpus = set()
        for number, kind, *values in (line.split() for line in output if line.strip()):
            if kind == "memory":
                memory[int(number)] += int(values[0] if values else 0) * _KIBIBYTE
            elif kind == "huge":
                huge[int(number)] += int(values[0]) * int(values[1]) * _KIBIBYTE
            elif values:
                with_cpus.add(int(number))
        sizes = ((number, size, huge[number]) for number, size in sorted(memory.items()))
        return [NumaNode(number, size - pages, number in with_cpus, pages) for number, size, pages in sizes]


class DefaultHugePages(FactBase[HugePages]):
    """Huge pages of the default size, which `vm.nr_hugepages` counts over all NUMA nodes."""

    default = HugePages

    @override
    def command(self) -> str:
        """Print their number, and the size of one in KiB."""
        return (
            "cat /proc/sys/vm/nr_hugepages 2>/dev/null; "
            "awk '/^Hugepagesize:/ {print $2}' /proc/meminfo 2>/dev/null; true"
        )

    @override
    def process(self, output: list[str]) -> HugePages:
        """Parse `1024` and `2048`; a kernel without huge pages says neither."""
        values = [int(line) for line in output if line.strip()]
        return HugePages(values[0], values[1] * _KIBIBYTE) if len(values) == 2 else HugePages()


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
