"""One component's share of a resolution; the shares add up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from gpufleet.stack.resolution import Package, Service, Unpacked
from gpufleet.stack.verdicts import Verdict


@dataclass(frozen=True)
class Part:
    """What one component adds, and what speaks against it."""

    packages: tuple[Package, ...] = ()
    services: tuple[Service, ...] = ()
    kernel_modules: tuple[str, ...] = ()
    module_options: dict[str, str] = field(default_factory=dict)
    unwanted: tuple[str, ...] = ()
    unpacked: tuple[Unpacked, ...] = ()
    reasons: dict[str, str] = field(default_factory=dict)
    verdicts: tuple[Verdict, ...] = ()


def total(parts: Iterable[Part]) -> Part:
    """Add the parts up, in their order; a package that two of them name is the first one's."""
    listed = tuple(parts)
    packages: dict[str, Package] = {}
    for package in (package for part in listed for package in part.packages):
        packages.setdefault(package.name, package)
    return Part(
        packages=tuple(packages.values()),
        services=tuple(service for part in listed for service in part.services),
        kernel_modules=tuple(module for part in listed for module in part.kernel_modules),
        module_options={name: value for part in listed for name, value in part.module_options.items()},
        unwanted=tuple(dict.fromkeys(name for part in listed for name in part.unwanted)),
        unpacked=tuple(item for part in listed for item in part.unpacked),
        reasons={subject: reason for part in listed for subject, reason in part.reasons.items()},
        verdicts=tuple(verdict for part in listed for verdict in part.verdicts),
    )
