"""Everything about a machine that the choice of its software depends on, read by one command."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyinfra.api.facts import FactBase
from typing_extensions import override

from gpufleet.facts.hardware import Dmi, OsRelease, PciDevice, PciDevices
from gpufleet.stack.gpus import nvidia_gpus, nvswitches
from gpufleet.stack.machine import Hardware, System
from gpufleet.stack.platforms import platform

MELLANOX = "15b3"
#: Marks, in the vital product data of an adapter, a port that manages NVLink5 switches.
#: Source: the condition of fabric manager's unit in awslabs/amazon-eks-ami, nvidia-fabricmanager-condition.sh.
SWITCH_MANAGEMENT = "SW_MNG"

#: The firmware's own answer: four bytes of attributes, then 1 or 0 (UEFI specification 2.10, section 3.3).
SECURE_BOOT = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"


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
        """Print each answer after the name of its kind; a machine without UEFI has no Secure Boot to switch on."""
        return (
            f"{{ {OsRelease().command()}; }} | sed 's/^/os /'; "
            'echo "arch $(uname -m)"; echo "kernel $(uname -r)"; '
            f"{{ {PciDevices().command()}; }} | sed 's/^/pci /'; "
            f"{{ {Dmi().command()}; }} | sed 's/^/dmi /'; "
            f'for d in /sys/bus/pci/devices/*; do [ "$(cat "$d/vendor" 2>/dev/null)" = 0x{MELLANOX} ] && '
            f'grep -aqs {SWITCH_MANAGEMENT} "$d/vpd" && echo "switch ${{d##*/}}"; done; '
            f'f={SECURE_BOOT}; if [ -r "$f" ]; then echo "secure_boot $(od -An -tu1 -j4 -N1 "$f")"; '
            'elif [ -d /sys/firmware/acpi ] && [ ! -d /sys/firmware/efi ]; then echo "secure_boot 0"; fi; true'
        )

    @override
    def process(self, output: list[str]) -> HostMachine:
        """Parse `pci 0000:18:00.0 0x10de 0x2330 ...` and the other kinds."""
        answers: dict[str, list[str]] = defaultdict(list)
        for kind, _, answer in (line.partition(" ") for line in output):
            answers[kind].append(answer)
        return HostMachine(_system(answers), _hardware(answers))


def _system(answers: Mapping[str, Sequence[str]]) -> System:
    release = OsRelease().process([*answers["os"]])
    return System(release.id, release.version_id, _last(answers["arch"]))


def _hardware(answers: Mapping[str, Sequence[str]]) -> Hardware:
    devices = PciDevices().process([*answers["pci"]])
    managing = set(answers["switch"])
    return Hardware(
        gpus=tuple(sorted(gpu.device for gpu in nvidia_gpus(devices))),
        nvswitches=len(nvswitches(devices)),
        nvlink5=bool(managing),
        rdma_adapters=sum(_is_adapter(device) and device.address not in managing for device in devices),
        platform=platform(Dmi().process([*answers["dmi"]]), devices),
        secure_boot={"1": True, "0": False}.get(_last(answers["secure_boot"])),
        kernel=_last(answers["kernel"]),
    )


def _is_adapter(device: PciDevice) -> bool:
    return device.vendor == MELLANOX and device.class_code.startswith("02")


def _last(lines: Sequence[str]) -> str:
    return lines[-1].strip() if lines else ""
