"""Bandwidth and latency between the RDMA devices of one host, measured by perftest through the fabric."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pyinfra.api.facts import FactBase
from typing_extensions import override

from gpufleet import network
from gpufleet.network import perftest

PROGRAM = Path(network.__file__).with_name("perftest.sh")

BANDWIDTH, LATENCY = "ib_write_bw", "ib_write_lat"


@dataclass(frozen=True)
class SpeedDevice:
    """A device that was asked for: its PCI device id, the rate of its port in Gb/s, its link layer."""

    name: str
    kind: str
    rate: float
    link_layer: str


@dataclass(frozen=True)
class SpeedRun:
    """One device sent to another: `value` in Gb/s or microseconds, else `complaint` in perftest's own words."""

    tool: str
    sender: str
    receiver: str
    value: float | None = None
    complaint: str = ""

    @property
    def name(self) -> str:
        """Both ends, as messages name them."""
        return f"{self.sender} to {self.receiver}"


@dataclass
class SpeedReport:
    """What a host measured, and what it could not."""

    has_perftest: bool = True
    #: Whether perftest can use GPU memory; None where it was not asked to.
    has_cuda: bool | None = None
    devices: dict[str, SpeedDevice] = field(default_factory=dict)
    #: Why a device has no partner, by its name.
    left: dict[str, str] = field(default_factory=dict)
    runs: list[SpeedRun] = field(default_factory=list)


class RdmaSpeeds(FactBase[SpeedReport]):
    """What perftest shows between the RDMA devices of the host; it loads the fabric for some seconds for each of them.

    Each device sends to the next one on its network, one after the other, from and to the CPUs nearest to them.
    """

    default = SpeedReport

    @override
    def command(self, limit: int, memory: Literal["host", "gpu"] = "host", devices: Sequence[str] = ()) -> str:
        """Begin no run after `limit` seconds; no devices means all but those of the default route."""
        return f"set -- {shlex.join([str(limit), memory, *devices])}\n{_program()}"

    @override
    def process(self, output: Iterable[str]) -> SpeedReport:
        """Read the program's own lines, which begin with `==`, and perftest's between them."""
        report, said = SpeedReport(), _Said()
        for line in output:
            match line.split():
                case ["==", "missing"]:
                    report.has_perftest = False
                case ["==", "no", "cuda"]:
                    report.has_cuda = False
                case ["==", "device", name, kind, rate, layer]:
                    report.devices[name] = SpeedDevice(name, kind, float(rate), layer)
                case ["==", "left", name, *why]:
                    report.left[name] = " ".join(why)
                case ["==", "late", tool, sender, receiver]:
                    report.runs.append(SpeedRun(tool, sender, receiver, complaint="no run, as the time was up"))
                case ["==", "run", tool, sender, receiver]:
                    said = _Said(tool, sender, receiver)
                case ["==", "answer"]:
                    said.has_answered = True
                case ["==", "status", status]:
                    report.runs.append(said.run(status))
                case _:
                    (said.client if said.has_answered else said.server).append(line)
        return report


def _program() -> str:
    """Return the program without what is for its readers: it travels with every probe."""
    lines = (line.strip() for line in PROGRAM.read_text(encoding="utf-8").splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("#"))


@dataclass
class _Said:
    """The lines of one run."""

    tool: str = ""
    sender: str = ""
    receiver: str = ""
    server: list[str] = field(default_factory=list)
    client: list[str] = field(default_factory=list)
    has_answered: bool = False

    def run(self, status: str) -> SpeedRun:
        """Read the sender's table; a row without success is none."""
        read = perftest.bandwidth if self.tool == BANDWIDTH else perftest.latency
        value = read(self.client) if status == "0" else None
        if value is not None:
            return SpeedRun(self.tool, self.sender, self.receiver, value)
        said = perftest.complaint(self.client) or perftest.complaint(self.server)
        why = "no answer in time" if status in ("124", "137") else said or "no result"
        return SpeedRun(self.tool, self.sender, self.receiver, complaint=why)
