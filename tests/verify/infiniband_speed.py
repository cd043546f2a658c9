"""Bandwidth and latency between the adapters of a host: what measures them where that is asked for, and the verdict."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from gpufleet.facts.rdma_speed import BANDWIDTH, RdmaSpeeds, SpeedDevice, SpeedReport, SpeedRun
from gpufleet.health import unproven
from gpufleet.health.probe import Request
from gpufleet.inventory.hosts import InventoryHost
from gpufleet.network.speeds import speed
from roles.infiniband.options import Infiniband, Performance

#: Seconds after which no further run begins, and that all runs may take: the last may need half a minute on each side.
LAST_BEGIN, SECONDS = 400, 480
NOTHING = "true"


def measure(record: InventoryHost) -> str | Request:
    """Return what measures on a host whose data ask for it, and a command that does nothing for any other."""
    wanted = Infiniband.of(record).performance if record.data.get(Infiniband.key) is not None else Performance()
    if not wanted.run:
        return NOTHING
    devices = [] if wanted.devices == "all" else wanted.devices
    return Request(RdmaSpeeds().command(limit=LAST_BEGIN, memory=wanted.memory, devices=devices), SECONDS)


@dataclass(frozen=True)
class Measured:
    """What a host measured with one tool, beside what is wanted of it."""

    report: SpeedReport
    wanted: Performance
    #: Architecture of the processor, as `uname -m` prints it.
    arch: str
    tool: str

    def judge(self, kernel_devices: Collection[str]) -> None:
        """Fail for what is too slow or does not work; say unproven for what could not be measured."""
        assert self.report.has_perftest, "perftest: expected ib_write_bw and ib_write_lat, found none"
        if not kernel_devices:
            unproven("the kernel shows no RDMA device")
        absent = [] if self.wanted.devices == "all" else [n for n in self.wanted.devices if n not in kernel_devices]
        wrong = [f"{name}: expected a device of this name, found none" for name in absent]
        wrong += [said for run in self.runs if (said := self._wrong(run))]
        assert not wrong, "; ".join(wrong)
        if reasons := self._open():
            unproven("; ".join(reasons))

    @property
    def runs(self) -> list[SpeedRun]:
        """Runs of this tool."""
        return [run for run in self.report.runs if run.tool == self.tool]

    def _wrong(self, run: SpeedRun) -> str:
        """Return what is wrong with a run, nothing where it is as expected or nobody says what to expect."""
        limit, unit, word = self._limit(run), *(("Gb/s", "at least") if self._is_bandwidth else ("us", "at most"))
        if run.value is None:
            expected = f"{word} {limit:g} {unit}" if limit else "an answer"
            return f"{run.name}: expected {expected}, found {run.complaint}"
        if limit is None or (run.value >= limit if self._is_bandwidth else run.value <= limit):
            return ""
        return f"{run.name}: expected {word} {limit:g} {unit}{self._by(run)}, found {run.value:g} {unit}"

    def _open(self) -> list[str]:
        """Return why something could not be measured, or nobody says what to expect of it."""
        if self._is_bandwidth and self.report.has_cuda is False:
            return ["perftest of this host cannot use GPU memory: it has no option --use_cuda"]
        reasons = [f"{name}: {why}" for name, why in self.report.left.items()]
        option = "bandwidth" if self._is_bandwidth else "latency"
        open_runs = [run for run in self.runs if self._limit(run) is None]
        unknown = {end.name: end for run in open_runs for end in self._ends(run) if self._number(end) is None}
        for device in unknown.values():
            what = f"15b3:{device.kind} at {device.rate:g} Gb/s"
            reasons.append(f"{device.name}: no known {option} of {what}; give performance.{option}")
        return reasons if self.runs or reasons else ["perftest measured nothing"]

    @property
    def _is_bandwidth(self) -> bool:
        return self.tool == BANDWIDTH

    @property
    def _own(self) -> float | None:
        """The inventory's own number."""
        return self.wanted.bandwidth if self._is_bandwidth else self.wanted.latency

    def _ends(self, run: SpeedRun) -> list[SpeedDevice]:
        return [self.report.devices[name] for name in (run.sender, run.receiver)]

    def _limit(self, run: SpeedRun) -> float | None:
        """Return the inventory's own number, else that of the weaker end; None where one of them has none."""
        values = [self._number(end) for end in self._ends(run)]
        known = [value for value in values if value is not None]
        if self._own or len(known) < len(values):
            return self._own
        return min(known) if self._is_bandwidth else max(known)

    def _number(self, end: SpeedDevice) -> float | None:
        """Return what an adapter must show by its generation; None where nobody says so."""
        row = speed(end.kind, end.rate)
        if row is None:
            return None
        if not self._is_bandwidth:
            return row.latency.get(self.arch)
        return row.gpu_bandwidth if self.wanted.memory == "gpu" else row.bandwidth

    def _by(self, run: SpeedRun) -> str:
        """Return whose number it is: the adapters' generation, unless the inventory gives one."""
        rows = [speed(end.kind, end.rate) for end in self._ends(run)]
        names = {row.name: None for row in rows if row}
        return "" if self._own else f" ({', '.join(names)})"
