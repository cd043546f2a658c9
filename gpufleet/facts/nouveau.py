"""nouveau, the free driver: a GPU that it has is none that NVIDIA's module can take."""

from __future__ import annotations

from dataclasses import dataclass

from pyinfra.api.facts import FactBase
from typing_extensions import override


@dataclass(frozen=True)
class Nouveau:
    """PCI addresses of the devices that it has, and whether the next boot leaves it alone."""

    devices: tuple[str, ...] = ()
    is_blacklisted: bool = False


class NouveauState(FactBase[Nouveau]):
    """What nouveau has now, and whether modprobe's configuration keeps it away."""

    default = Nouveau

    @override
    def command(self) -> str:
        """Follow the devices' links in sysfs, and ask modprobe."""
        return (
            'for d in /sys/bus/pci/devices/*; do case "$(readlink "$d/driver")" in */nouveau) '
            'echo "device ${d##*/}";; esac; done; '
            "modprobe --showconfig 2>/dev/null | grep -x 'blacklist nouveau' | head -n 1"
        )

    @override
    def process(self, output: list[str]) -> Nouveau:
        """Parse `device 0000:18:00.0` and `blacklist nouveau`."""
        rows = [line.split() for line in output if line.strip()]
        devices = sorted(name for word, name in rows if word == "device")
        return Nouveau(tuple(devices), ["blacklist", "nouveau"] in rows)
