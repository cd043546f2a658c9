"""A choice line by line: what a host gets, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from gpufleet.facts.machine import HostMachine
from gpufleet.judging import Judgment
from gpufleet.stack.gpus import product
from gpufleet.stack.resolution import DriverChoice, Package, Resolution, Service
from gpufleet.stack.review import Review, folded, number

#: One line: what it is about, what was chosen, and why.
Line = tuple[str, str, str]


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
    if resolution:
        yield from aligned(list(rows(resolution)))
    yield from map(str, resolution.verdicts if resolution and not judgment.verdicts else judgment.verdicts)


#: What a host lacks of which nothing can be said, and the way to know more.
TOO_LITTLE = "machine.os and machine.gpus are not both declared"
ASK = "declare it, or ask the hosts with --facts"


def aligned(found: Sequence[Line]) -> Iterator[str]:
    """Yield lines in columns; the last one is as wide as it is."""
    first, second = (max((len(line[column]) for line in found), default=0) for column in (0, 1))
    for subject, choice, reason in found:
        yield f"{subject:<{first}}  {choice:<{second}}  {reason}".rstrip()


def rows(resolution: Resolution) -> Iterator[Line]:
    """Yield everything that was decided, in the order in which it is installed."""
    reasons = resolution.reasons
    for repository in resolution.repositories:
        why = reasons.get(f"repository {repository.name}") or repository.source
        yield "repository", f"{repository.name} {repository.base_url.rstrip('/')}/{repository.path}", why
    if resolution.driver:
        yield from _driver(resolution.driver)
    yield from map(_package, resolution.packages)
    for item in resolution.unpacked:
        yield item.component, f"{item.name} {item.version} unpacked into {item.directory}", item.reason
    if resolution.cuda_default:
        yield "default", f"/usr/local/cuda is {resolution.cuda_default}", reasons.get("cuda_default", "")
    for module in resolution.kernel_modules:
        yield "module", module, reasons.get(f"module {module}", "")
    for name, value in resolution.module_options.items():
        yield "option", f"{name}={value}", reasons.get(f"option {name}", "")
    if resolution.gpudirect:
        yield "gpudirect", resolution.gpudirect, reasons.get("gpudirect", "")
    yield from map(_service, resolution.services)


def _driver(driver: DriverChoice) -> Iterator[Line]:
    yield "driver", f"{driver.version} {driver.flavor}, packaged by {driver.source}", driver.reason
    pins = {"pinned by": driver.pinning, "module stream": driver.stream, "versionlock": ", ".join(driver.versionlock)}
    for subject, value in pins.items():
        if value:
            yield subject, value, "set before the first package is installed"
    yield from map(_package, driver.packages)
    if driver.unwanted:
        yield "removed", number(len(driver.unwanted), "name"), "must not lie beside it; --json lists them"


def _package(package: Package) -> Line:
    return package.component, f"{package.name} {package.version or '(newest)'}", package.reason


def _service(service: Service) -> Line:
    state = "masked" if service.masked else "at boot" if service.enabled else "off"
    return "service", f"{service.unit} {state}", service.reason


def _entry(judgment: Judgment, names: Sequence[str]) -> dict[str, Any]:
    resolution = judgment.resolution
    return {
        "hosts": list(names),
        "machine": asdict(judgment.machine) if judgment.machine else None,
        "not_declared": list(judgment.unknown),
        "wish": judgment.wish.model_dump(exclude_unset=True) if judgment.wish else None,
        "overlay": str(judgment.own) if judgment.own else None,
        "resolution": asdict(resolution) if resolution else None,
        "verdicts": [asdict(verdict) for verdict in judgment.verdicts],
    }
