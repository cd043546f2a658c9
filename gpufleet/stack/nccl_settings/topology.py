"""PCI topologies that a platform hides, as XML that NCCL loads before it looks for itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Annotated, Self
from xml.sax.saxutils import quoteattr

import yaml
from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator

TABLE = Path(__file__).with_name("topologies.yaml")

Address = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$")]
Range = Annotated[str, StringConstraints(pattern=r"^\d+-\d+$")]

#: PCI classes as NCCL reads them: a bridge, a 3D controller, an InfiniBand adapter.
_BRIDGE, _GPU, _ADAPTER = "0x060400", "0x030200", "0x020700"
_WORD = 32


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Cpu(_Row):
    """The processors' kind, by which NCCL knows how fast they pass data on."""

    arch: str
    vendor: str
    family: int
    model: int


class Switch(_Row):
    """Devices below one PCIe switch."""

    gpus: tuple[Address, ...]
    adapters: tuple[Address, ...]


class Node(_Row):
    """One NUMA node: its processors, first to last, and its switches."""

    cpus: Range
    switches: tuple[Switch, ...]

    @property
    def bounds(self) -> tuple[int, int]:
        """Number of the first and of the last processor."""
        first, last = map(int, self.cpus.split("-"))
        return first, last


class Topology(_Row):
    """One machine type."""

    source: str
    cpu: Cpu
    link_speed: str
    nodes: tuple[Node, ...]

    @model_validator(mode="after")
    def check(self) -> Self:
        """Refuse a processor or a device that is in two places."""
        cpus = [number for node in self.nodes for number in range(node.bounds[0], node.bounds[1] + 1)]
        devices = [*self.gpus, *self.adapters]
        if len(cpus) != len(set(cpus)) or len(devices) != len(set(devices)):
            raise ValueError("a processor or a device is in two places")
        return self

    @property
    def gpus(self) -> tuple[str, ...]:
        """Addresses of all GPUs."""
        return tuple(chain.from_iterable(switch.gpus for node in self.nodes for switch in node.switches))

    @property
    def adapters(self) -> tuple[str, ...]:
        """Addresses of all network adapters."""
        return tuple(chain.from_iterable(switch.adapters for node in self.nodes for switch in node.switches))

    def xml(self) -> str:
        """Return the file that NCCL loads."""
        return "\n".join(['<system version="1">', *self._lines(), "</system>", ""])

    def _lines(self) -> Iterator[str]:
        words = -(-(max(node.bounds[1] for node in self.nodes) + 1) // _WORD)
        bridges = iter(range(1, 0x100))
        for number, node in enumerate(self.nodes):
            attributes = {
                "numaid": number,
                "affinity": _mask(*node.bounds, words),
                "arch": self.cpu.arch,
                "vendor": self.cpu.vendor,
                "familyid": self.cpu.family,
                "modelid": self.cpu.model,
            }
            yield f"  <cpu {_written(attributes)}>"
            for switch in node.switches:
                yield f"    <pci {self._pci(f'ffff:ff:{next(bridges):02x}.0', _BRIDGE)}>"
                yield from (f"      <pci {self._pci(address, _GPU)}/>" for address in switch.gpus)
                yield from (f"      <pci {self._pci(address, _ADAPTER)}/>" for address in switch.adapters)
                yield "    </pci>"
            yield "  </cpu>"

    def _pci(self, address: str, kind: str) -> str:
        return _written({"busid": address, "class": kind, "link_speed": self.link_speed, "link_width": 16})


class Topologies(_Row):
    """The rows of topologies.yaml."""

    topologies: Mapping[str, Topology]


@cache
def table() -> Mapping[str, Topology]:
    """Load topologies.yaml."""
    return Topologies.model_validate(yaml.safe_load(TABLE.read_text(encoding="utf-8"))).topologies


def _written(attributes: Mapping[str, object]) -> str:
    return " ".join(f"{name}={quoteattr(str(value))}" for name, value in attributes.items())


def _mask(first: int, last: int, words: int) -> str:
    """Return the bit mask of processors in words of 32 bits, the highest first: `00000000,0000ffff,ffffffff`."""
    bits = ((1 << (last - first + 1)) - 1) << first
    return ",".join(f"{bits >> (_WORD * word) & 0xFFFFFFFF:08x}" for word in reversed(range(words)))
