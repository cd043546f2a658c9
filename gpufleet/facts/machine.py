"""Everything about a machine that the choice of its software depends on, read by one command."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyinfra.api.facts import FactBase
from typing_extensions import override

from gpufleet.facts.hardware import MELLANOX, Architecture, Dmi, NvlinkBridges, OsRelease, PciDevice, PciDevices
from gpufleet.facts.kernel import RunningKernel
from gpufleet.facts.secure_boot import SecureBoot
from gpufleet.stack.gpus import nvidia_gpus, nvswitches
from gpufleet.stack.machine import Hardware, System
from gpufleet.stack.platforms import platform

#: Kinds of lines in the answer, and the facts whose commands print them.
_KINDS: Mapping[str, FactBase[Any]] = {
    "os": OsRelease(),
    "arch": Architecture(),
    "kernel": RunningKernel(),
    "pci": PciDevices(),
    "dmi": Dmi(),
    "bridge": NvlinkBridges(),
    "boot": SecureBoot(),
}


@dataclass(frozen=True)
class HostMachine:
    """What one host said of itself."""

    system: System
    hardware: Hardware


class Machine(FactBase[HostMachine]):
    """Operating system, kernel, GPUs, switches, adapters, platform and Secure Boot; without root no VPD can be read."""

    @staticmethod
    @override
    def default() -> HostMachine:
        """Say nothing of a host that was not asked."""
        return HostMachine(System("", ""), Hardware())

    @override
    def command(self) -> str:
        """Run the commands of all these facts, each line after the name of its kind."""
        return "; ".join(f"{{ {fact.command()}; }} | sed 's/^/{kind} /'" for kind, fact in _KINDS.items())

    @override
    def process(self, output: list[str]) -> HostMachine:
        """Parse `pci 0000:18:00.0 0x10de 0x2330 ...` and the other kinds."""
        answers: dict[str, list[str]] = defaultdict(list)
        for kind, _, answer in (line.partition(" ") for line in output):
            answers[kind].append(answer)
        return HostMachine(_system(answers), _hardware(answers))


def _system(answers: Mapping[str, list[str]]) -> System:
    release = OsRelease().process(answers["os"])
    return System(release.id, release.version_id, Architecture().process(answers["arch"]))


def _hardware(answers: Mapping[str, list[str]]) -> Hardware:
    devices = PciDevices().process(answers["pci"])
    bridges = NvlinkBridges().process(answers["bridge"])
    return Hardware(
        gpus=tuple(sorted(gpu.device for gpu in nvidia_gpus(devices))),
        nvswitches=len(nvswitches(devices)),
        nvlink5=bool(bridges),
        rdma_adapters=sum(_is_adapter(device) and device.address not in bridges for device in devices),
        platform=platform(Dmi().process(answers["dmi"]), devices),
        secure_boot={"enabled": True, "disabled": False}.get(SecureBoot().process(answers["boot"])),
        kernel=RunningKernel().process(answers["kernel"]) if answers["kernel"] else "",
    )


def _is_adapter(device: PciDevice) -> bool:
    return device.vendor == MELLANOX and device.class_code.startswith("02")
