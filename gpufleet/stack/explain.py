"""A choice line by line: what a host gets, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

from gpufleet.facts.machine import HostMachine
from gpufleet.stack.evidence import Evidence
from gpufleet.stack.gpus import product
from gpufleet.stack.host.judging import Judgment
from gpufleet.stack.matrix.rows import Row
from gpufleet.stack.resolution import DriverChoice, Package, Resolution
from gpufleet.stack.review import Review, folded, number


class Line(NamedTuple):
    """What it is about, what was chosen, why, and the row of the matrix that it rests on."""

    subject: str
    choice: str
    reason: str = ""
    row: Row | None = None

    @property
    def why(self) -> str:
        """Return the reason with its row."""
        return f"{self.reason} (row {self.row.row})".lstrip() if self.row else self.reason

    def as_dict(self) -> dict[str, str]:
        """Return the line for programs, with the row's source."""
        row = {"row": self.row.row, "source": self.row.source} if self.row else {}
        return {"subject": self.subject, "choice": self.choice, "reason": self.reason, **row}


def lines(review: Review) -> Iterator[str]:
    """Yield a paragraph for every kind of host."""
    for judgment, names in review.judgments.items():
        yield f"{folded(names)} ({number(len(names), 'host')}): {machine_words(judgment.machine)}"
        yield from (f"  {line}" for line in _paragraph(judgment))
    for name, reason in review.silent.items():
        yield f"{name}: not asked: {reason}"


def document(review: Review) -> list[dict[str, Any]]:
    """Return the same for programs."""
    return [_entry(judgment, names) for judgment, names in review.judgments.items()]


def machine_words(machine: HostMachine | None) -> str:
    """Return a machine in words: `ubuntu-24.04 x86_64, 8 x H100 SXM5 80GB (2330), 4 NVSwitches, bare-metal`."""
    if machine is None:
        return "unknown machine"
    system, hardware = machine.system, machine.hardware
    gpus = Counter(hardware.gpus)
    parts = [f"{system.id}-{system.version} {system.arch}"]
    parts += [f"{count} x {product(device) or 'GPU'} ({device})" for device, count in gpus.items()] or ["no GPU"]
    parts += [f"{hardware.nvswitches} NVSwitches"] if hardware.nvswitches else []
    parts += ["NVLink5 switches"] if hardware.nvlink5 else []
    parts += [f"{hardware.rdma_adapters} RDMA adapters"] if hardware.rdma_adapters else []
    parts += [hardware.platform, *([f"kernel {hardware.kernel}"] if hardware.kernel else [])]
    return ", ".join([*parts, *(["Secure Boot"] if hardware.secure_boot else [])])


def _paragraph(judgment: Judgment) -> Iterator[str]:
    if not judgment.wants_anything:
        yield "nothing is wanted of the stack"
        return
    if judgment.lacks_machine:
        yield f"nothing can be chosen: {TOO_LITTLE}; {ASK}"
    elif judgment.machine and judgment.unknown:
        yield f"not declared, so taken as usual: {', '.join(judgment.unknown)}; {ASK}"
    resolution = judgment.resolution
    yield from aligned([(line.subject, line.choice, line.why) for line in choices(judgment)])
    yield from map(str, resolution.verdicts if resolution and not judgment.verdicts else judgment.verdicts)


#: What a host lacks of which nothing can be said, and the way to know more.
TOO_LITTLE = "machine.os and machine.gpus are not both declared"
ASK = "declare it, or ask the hosts with --facts"


def aligned(found: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    """Yield lines in columns; the last one is as wide as it is."""
    first, second = (max((len(line[column]) for line in found), default=0) for column in (0, 1))
    for subject, choice, reason in found:
        yield f"{subject:<{first}}  {choice:<{second}}  {reason}".rstrip()


def choices(judgment: Judgment) -> list[Line]:
    """Return the lines of a judgment, none where nothing is chosen."""
    resolution, evidence = judgment.resolution, judgment.evidence
    return list(rows(resolution, evidence)) if resolution and evidence else []


def rows(resolution: Resolution, evidence: Evidence) -> Iterator[Line]:
    """Yield everything that was decided, in the order in which it is installed."""
    for repository in resolution.repositories:
        place = f"{repository.name} {repository.base_url.rstrip('/')}/{repository.path}"
        why = "key pinned by its fingerprint" if repository.fingerprint else "nobody has vouched for its key"
        yield Line("repository", place, why, evidence.repository(repository.name))
    if resolution.driver:
        yield from _driver(resolution.driver, evidence)
    for package in resolution.packages:
        yield _package(package, evidence)
    for item in resolution.unpacked:
        choice = f"{item.name} {item.version} unpacked into {item.directory}"
        yield Line(item.component, choice, item.reason, evidence.package(item))
    yield from _settings(resolution)
    for service in resolution.services:
        state = "masked" if service.masked else "at boot" if service.enabled else "off"
        yield Line("service", f"{service.unit} {state}", service.reason)


def _driver(driver: DriverChoice, evidence: Evidence) -> Iterator[Line]:
    choice = f"{driver.version} {driver.flavor}, packaged by {driver.source}"
    yield Line("driver", choice, driver.reason, evidence.release())
    pins = {"pinned by": driver.pinning, "module stream": driver.stream, "versionlock": ", ".join(driver.versionlock)}
    for subject, value in pins.items():
        if value:
            yield Line(subject, value, "set before the first package is installed")
    for package in driver.packages:
        yield _package(package, evidence)
    if driver.unwanted:
        yield Line("removed", number(len(driver.unwanted), "name"), "must not lie beside it; --json lists them")


def _settings(resolution: Resolution) -> Iterator[Line]:
    reasons = resolution.reasons
    if resolution.cuda_default:
        yield Line("default", f"/usr/local/cuda is {resolution.cuda_default}", reasons.get("cuda_default", ""))
    for module in resolution.kernel_modules:
        yield Line("module", module, reasons.get(f"module {module}", ""))
    for name, value in resolution.module_options.items():
        yield Line("option", f"{name}={value}", reasons.get(f"option {name}", ""))
    if resolution.gpudirect:
        yield Line("gpudirect", resolution.gpudirect, reasons.get("gpudirect", ""))


def _package(package: Package, evidence: Evidence) -> Line:
    choice = f"{package.name} {package.version or '(newest)'}"
    return Line(package.component, choice, package.reason, evidence.package(package))


def _entry(judgment: Judgment, names: Sequence[str]) -> dict[str, Any]:
    resolution = judgment.resolution
    return {
        "hosts": list(names),
        "machine": asdict(judgment.machine) if judgment.machine else None,
        "not_declared": list(judgment.unknown),
        "wish": judgment.wish.model_dump(exclude_unset=True) if judgment.wish else None,
        "overlay": str(judgment.own) if judgment.own else None,
        "choices": [line.as_dict() for line in choices(judgment)],
        "resolution": asdict(resolution) if resolution else None,
        "verdicts": [asdict(verdict) for verdict in judgment.verdicts],
    }
