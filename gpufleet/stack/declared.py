"""What the inventory declares of a machine (key `machine`), and how that differs from what the host says."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from itertools import combinations
from typing import Annotated, Any

from pydantic import Field, field_validator

from gpufleet.facts.machine import HostMachine
from gpufleet.nearest import nearest
from gpufleet.options import RoleOptions
from gpufleet.stack.gpus import product
from gpufleet.stack.machine import ENTERPRISE_LINUX, Arch, Hardware, Platform, System
from gpufleet.stack.matrix import load
from gpufleet.stack.matrix.driver_rows import GpuProduct
from gpufleet.stack.verdicts import Verdict

_DISTRIBUTIONS = sorted({"debian", "ubuntu", *ENTERPRISE_LINUX})
_DEVICE_ID = re.compile(r"[0-9a-fA-F]{4}")
#: Without these two nothing can be said of a host that is not asked.
REQUIRED = ("os", "gpus")


class DeclaredMachine(RoleOptions, key="machine"):
    """Operating system and hardware of a host, so that its stack can be checked without a connection."""

    os: str | None = Field(None, description="Distribution and version, such as `ubuntu-24.04` or `rocky-9`.")
    arch: Arch | None = Field(None, description="Processor architecture, as `uname -m` prints it.")
    gpus: dict[str, Annotated[int, Field(gt=0)]] | None = Field(
        None, description="How many GPUs of each kind, by PCI device id (`2330`) or name (`H100 SXM5`); `{}` for none."
    )
    nvswitches: int | None = Field(None, ge=0, description="NVSwitches on the host's own PCI bus.")
    nvlink5: bool | None = Field(None, description="NVLink5 switches behind Mellanox management ports.")
    rdma_adapters: int | None = Field(None, ge=0, description="InfiniBand or RoCE adapters of Mellanox.")
    platform: Platform | None = Field(None, description="Platform; it overrides what the firmware's strings tell.")
    kernel: str | None = Field(None, description="Release of the running kernel, as `uname -r` prints it.")
    secure_boot: bool | None = Field(None, description="Whether UEFI Secure Boot is on.")

    @field_validator("os")
    @classmethod
    def _os_is_known(cls, os: str | None) -> str | None:
        name, _, version = (os or "").partition("-")
        if os is None or (name in _DISTRIBUTIONS and version):
            return os
        close = nearest(name, _DISTRIBUTIONS)
        cure = f"did you mean {close}-{version}?" if close and version else f"known are {', '.join(_DISTRIBUTIONS)}"
        raise ValueError(f"expected a distribution and a version such as ubuntu-24.04, found {os!r}; {cure}")

    @field_validator("gpus")
    @classmethod
    def _gpus_are_known(cls, gpus: dict[str, int] | None) -> dict[str, int] | None:
        for name in gpus or ():
            if not device_ids(name):
                close = nearest(name, _names())
                cure = f"did you mean {close}?" if close else "give the PCI device id, four hexadecimal digits"
                raise ValueError(f"expected a data-center GPU's name or PCI device id, found {name!r}; {cure}")
        for one, other in combinations(gpus or (), 2):
            if set(device_ids(one)) & set(device_ids(other)):
                raise ValueError(f"expected each kind of GPU once, found {one} and {other}; say their sum under one")
        return gpus

    def system(self) -> System | None:
        """Return the operating system, None where it is not declared."""
        name, _, version = (self.os or "").partition("-")
        return System(name, version, self.arch or "x86_64") if name else None

    def machine(self) -> HostMachine | None:
        """Return the machine with the usual values for what is not declared; None where too little is."""
        system = self.system()
        if system is None or self.gpus is None:
            return None
        gpus = sorted(device_ids(name)[0] for name, count in self.gpus.items() for _ in range(count))
        named = {name: value for name in _plain() if (value := getattr(self, name)) is not None}
        return HostMachine(system, Hardware(gpus=tuple(gpus), **named))

    def unknown(self) -> list[str]:
        """Return the names of what is not declared."""
        return [name for name in type(self).model_fields if getattr(self, name) is None]

    def completed(self, found: HostMachine) -> HostMachine:
        """Return what the host said, with the operator's platform, and Secure Boot where the firmware is silent."""
        hardware = replace(found.hardware, platform=self.platform or found.hardware.platform)
        if hardware.secure_boot is None:
            hardware = replace(hardware, secure_boot=self.secure_boot)
        return replace(found, hardware=hardware)

    def differences(self, found: HostMachine) -> tuple[Verdict, ...]:
        """Return an error for everything that is declared otherwise than the host says; the platform overrides."""
        return tuple(_differing(self, found))


def _plain() -> tuple[str, ...]:
    return ("nvswitches", "nvlink5", "rdma_adapters", "platform", "kernel", "secure_boot")


def _differing(declared: DeclaredMachine, found: HostMachine) -> Iterator[Verdict]:
    system, hardware = found.system, found.hardware
    if declared.os and not _same_release(declared.os, f"{system.id}-{system.version}"):
        yield _difference("os", declared.os, f"{system.id}-{system.version}")
    if declared.arch and declared.arch != system.arch:
        yield _difference("arch", declared.arch, system.arch)
    if declared.gpus is not None and not _same_gpus(declared.gpus, hardware.gpus):
        yield _difference("gpus", _named(declared.gpus), _named(_by_name(hardware.gpus)))
    for name in ("nvswitches", "nvlink5", "rdma_adapters", "kernel", "secure_boot"):
        wanted, value = getattr(declared, name), getattr(hardware, name)
        if wanted is not None and value is not None and wanted != value:
            yield _difference(name, _said(wanted), _said(value))


def _difference(name: str, declared: str, found: str) -> Verdict:
    cure = "correct the inventory, or mend the host"
    return Verdict("error", f"machine.{name}", f"{declared} as declared", found, cure, f"machine.{name}", "inventory")


def _same_release(declared: str, found: str) -> bool:
    return found == declared or found.startswith(f"{declared}.")


def _same_gpus(declared: Mapping[str, int], found: Iterable[str]) -> bool:
    left = Counter(found)
    for name, count in declared.items():
        ids = device_ids(name)
        if sum(left.pop(device, 0) for device in ids) != count:
            return False
    return not left


def _by_name(ids: Iterable[str]) -> Counter[str]:
    return Counter(f"{product(device) or 'GPU'} ({device})" for device in ids)


def _named(gpus: Mapping[str, int]) -> str:
    return ", ".join(f"{count} x {name}" for name, count in gpus.items()) or "none"


def _said(value: Any) -> str:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)


@cache
def _names() -> list[str]:
    """Return what GPUs may be called: the products, and the words they begin with."""
    words = [name.split() for row in load().gpu_products for name in _called(row)]
    return sorted({" ".join(name[:end]) for name in words for end in range(1, len(name) + 1)})


@cache
def device_ids(name: str) -> tuple[str, ...]:
    """Return the PCI device ids that a name may stand for: a product, the first words of products, or an id itself.

    Words that begin products of several generations stand for none of them. A V100 need not be called Tesla.
    """
    products = load().gpu_products
    rows = [row for row in products if name in _called(row)]
    rows = rows or [row for row in products if any(called.startswith(f"{name} ") for called in _called(row))]
    if rows:  # names come first: B200 could be read as an id
        return tuple(f"{row.id:04x}" for row in rows) if len({row.generation for row in rows}) == 1 else ()
    return (name.lower(),) if _DEVICE_ID.fullmatch(name) else ()


def _called(row: GpuProduct) -> tuple[str, str]:
    return row.name, row.name.removeprefix("Tesla ")
