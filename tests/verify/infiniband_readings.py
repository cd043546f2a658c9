"""What the checks of the role `infiniband` ask a host, and how they read its answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gpufleet.facts.boot_loader import BootLoaderArguments
from gpufleet.facts.hardware import MELLANOX, NvlinkBridges
from gpufleet.facts.memlock import ServiceMemlock
from gpufleet.facts.ofed import ReplacedModules
from gpufleet.facts.packages import InstalledVersions
from gpufleet.facts.pcie import AcsControls, DeviceControls
from gpufleet.facts.rdma import RdmaAdapters, RdmaDevice, RdmaDevices
from gpufleet.facts.rdma_counters import PortCounters, RdmaCounters
from gpufleet.facts.rdma_speed import RdmaSpeeds
from gpufleet.facts.units import UnitState, UnitStates
from gpufleet.health import Probe
from gpufleet.inventory.hosts import InventoryHost
from gpufleet.operations.ofed import CORE
from gpufleet.stack import driver_names
from gpufleet.stack.host.resolved import resolved
from gpufleet.stack.machine import Hardware
from gpufleet.stack.resolution import Package, Resolution
from roles.infiniband.decisions import device_names
from roles.infiniband.options import Infiniband
from roles.infiniband.steps import ARGUMENTS, MODULES, PCIE_UNIT, RULES
from tests.verify.cuda_readings import SHARED, Record, machine
from tests.verify.infiniband_speed import Measured, measure

PROBE: dict[str, Any] = {
    **SHARED,
    "kernel": "uname -r",
    "dkms": "command -v dkms >/dev/null && dkms status; true",
    "modules": "ls /sys/module",
    "modules at boot": f"grep -v '^#' /{MODULES} 2>/dev/null; true",
    "replaced": ReplacedModules().command(modules=list(CORE)),
    "adapters": RdmaAdapters().command(),
    "bridges": NvlinkBridges().command(),
    "devices": RdmaDevices().command(),
    "counters": RdmaCounters().command(),
    "rules": f"sed -n 's/.*rdma-name[.]sh \\(.*\\)\"$/\\1/p' /{RULES} 2>/dev/null; true",
    "memlock": ServiceMemlock().command(units=["*.service"]),
    "setpci": "command -v setpci; true",
    "acs": AcsControls().command(),
    "control": DeviceControls().command(),
    "unit": UnitStates().command(units=[PCIE_UNIT]),
    "arguments": BootLoaderArguments().command(key=ARGUMENTS),
    "numa": "for d in /sys/bus/pci/devices/*; do "
    '[ -r "$d/numa_node" ] && [ ! -e "$d/physfn" ] || continue; read -r v <"$d/vendor"; read -r c <"$d/class"; '
    f'case "$v $c" in "0x10de 0x03"*) k=gpu;; "0x{MELLANOX} 0x02"*) k=adapter;; *) continue;; esac; '
    'echo "$k ${d##*/} $(cat "$d/numa_node")"; done; true',
    "speed": measure,
}


@dataclass(frozen=True)
class Stack:
    """A host with RDMA adapters that the role looks after: what the inventory asks for, and what the host answered."""

    probe: Probe
    record: InventoryHost
    options: Infiniband
    chosen: Resolution
    hardware: Hardware

    @classmethod
    def read(cls, probe: Probe, declared: Any) -> Stack | None:
        """Read the inventory's record; None where the role leaves the host alone."""
        record = declared(Record)
        if record.data.get(Infiniband.key) is None:
            return None
        found = machine(probe)
        chosen = resolved(record, found, record.folder)
        if chosen.rdma is None and not chosen.errors:
            return None
        return cls(probe, record, declared(Infiniband), chosen, found.hardware)

    @property
    def wanted(self) -> tuple[Package, ...]:
        """Packages that the host is to have."""
        return self.chosen.of("rdma")

    @property
    def unwanted(self) -> list[str]:
        """Installed packages of stacks that must not lie beside this one."""
        installed = InstalledVersions().process(self.probe["packages"].lines)
        patterns = self.chosen.rdma.unwanted if self.chosen.rdma else ()
        return sorted(driver_names.matching(installed, patterns))

    @property
    def devices(self) -> list[RdmaDevice]:
        """RDMA devices that the kernel shows."""
        return RdmaDevices().process(self.probe["devices"].lines)

    @property
    def counters(self) -> PortCounters:
        """Error counters of ports."""
        return RdmaCounters().process(self.probe["counters"].lines)

    def measured(self, tool: str) -> Measured:
        """What perftest showed between the adapters."""
        report = RdmaSpeeds().process(self.probe["speed"].lines)
        return Measured(report, self.options.performance, machine(self.probe).system.arch, tool)

    @property
    def names(self) -> Mapping[str, str]:
        """Names that devices are to have, by PCI address."""
        bridges = NvlinkBridges().process(self.probe["bridges"].lines)
        adapters = RdmaAdapters().process(self.probe["adapters"].lines)
        return device_names(self.options, [address for address in adapters if address not in bridges])

    @property
    def unit(self) -> UnitState:
        """The unit that sets PCI Express up."""
        return UnitStates().process(self.probe["unit"].lines)[PCIE_UNIT]

    def numa(self, kind: str) -> dict[str, int]:
        """NUMA node of each GPU or adapter, by PCI address; bridges of NVLink are none."""
        bridges = NvlinkBridges().process(self.probe["bridges"].lines)
        rows = (line.split() for line in self.probe["numa"].lines if line)
        return {address: int(node) for found, address, node in rows if found == kind and address not in bridges}
