"""Imagined hosts for plans of the driver's companions: they change as the plan's commands ask them to."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gpufleet.facts.apt_holds import HOLD_PINS
from gpufleet.facts.gpu_daemons import GpuDaemon, GpuDaemonState
from gpufleet.facts.kernel import LoadedModules
from gpufleet.facts.machine import HostMachine, Machine
from gpufleet.facts.unit_files import MARK, OwnUnitFiles, ShippedUnit
from gpufleet.facts.units import UnitState, UnitStates
from gpufleet.stack.machine import Hardware
from tests.support.driver_facts import kernel_of, plan_of, system_of
from tests.support.driver_world import World

UNITS = "/etc/systemd/system"
H100, B200, GB200, A100, L40S, V100 = "2330", "2901", "2941", "20b2", "26b9", "1db5"
MACHINES: Mapping[str, Mapping[str, Any]] = {
    "hgx-h100": {"gpus": (H100,) * 8, "nvswitches": 4, "rdma_adapters": 8},
    "hgx-b200": {"gpus": (B200,) * 8, "nvlink5": True, "rdma_adapters": 8},
    "gb200-tray": {"gpus": (GB200,) * 4, "rdma_adapters": 4},
    "l40s-pcie": {"gpus": (L40S,) * 4},
    "gcp-a3": {"gpus": (H100,) * 8, "nvswitches": 4, "platform": "gcp-a3-high"},
    "v100-sxm2": {"gpus": (V100,) * 8, "rdma_adapters": 4},
    "cpu-only": {},
}
SHIPPED = "[Unit]\nDescription=NVIDIA fabric manager service\nAfter=network-online.target\nAfter=multi-user.target\n"
#: Versions of what has versions of its own.
OWN = {"datacenter-gpu-manager": "1:4.4.1-1", "nvlsm": "2025.10.12-1", "gdr": "2.5.1-1", "libgdrapi": "2.5.1-1"}
_UNIT = re.compile(r"systemctl (?P<verb>[a-z]+)(?P<now> --now)? (?P<unit>\S+)")


@dataclass
class CompanionWorld(World):
    """A host with daemons of the driver. `daemons` are units by name; what is not there is not installed."""

    daemons: dict[str, UnitState] = field(default_factory=dict)
    #: Units that run on files of before.
    stale: set[str] = field(default_factory=set)
    modules: set[str] = field(default_factory=set)
    shipped: str = SHIPPED

    def offered(self, package: str) -> list[str]:
        """Versions to be had, newest first."""
        own = [version for start, version in OWN.items() if package.startswith(start)]
        return own or super().offered(package.replace("libnvsdm", "nvidia-nvsdm"))

    def run(self, command: str) -> None:
        """Change as a command of the plan asks."""
        if match := _UNIT.match(command):
            self._unit(match["unit"], match["verb"], bool(match["now"]))
        elif command.startswith("modprobe "):
            self.modules.add(command.split()[1])
        else:
            super().run(command.replace(" with what they recommend", ""))

    def _bring(self, name: str, release: str) -> None:
        """Hold what comes, as the installation itself does; companions bring no packages along."""
        if f"Package: {name}\n" in self.files.get(HOLD_PINS, ""):
            self.held.add(name)
        if name in ("gdrdrv-dkms", "gdrcopy-kmod"):
            self.built["gdrdrv"] = release
        if name.startswith("nvidia-imex"):
            self.files.setdefault("/etc/nvidia-imex/nodes_config.cfg", "# Addresses of all IMEX nodes, one per line.\n")

    def _unit(self, unit: str, verb: str, now: bool) -> None:
        before = self.daemons.get(unit, UnitState("loaded", "inactive", "disabled"))
        load, active, file = before.load, before.active, before.file
        if verb in ("start", "restart"):
            active = "active"
            self.stale.discard(unit)
            self.modules.update(re.findall(r"ExecStart=\S+ modprobe (\w+)", self.files.get(f"{UNITS}/{unit}", "")))
        elif verb in ("enable", "disable"):
            file, active = f"{verb}d", "inactive" if now and verb == "disable" else active
        elif verb == "mask":
            load, active, file = "masked", "inactive" if now else active, "masked"
        elif verb == "unmask":
            load, file = "loaded", "disabled"
        self.daemons[unit] = UnitState(load, active, file)

    def unit(self, name: str) -> GpuDaemon:
        """What systemd says of a unit."""
        return GpuDaemon(self.daemons.get(name, UnitState()), started=7, changed=8 if name in self.stale else 0)

    def own_unit_files(self, unit: str) -> list[str]:
        """Files of a unit that plans wrote."""
        return [path for path, text in self.files.items() if path.startswith(f"{UNITS}/{unit}") and MARK in text]


def companion_plan(
    deploy: Callable[[], Any], world: CompanionWorld, release: str, machine: str, data: Mapping[str, Any], **facts: Any
) -> str:
    """Plan a deploy on a host of this system and hardware that follows the plan."""
    hardware = Hardware(**{"kernel": kernel_of(release), **MACHINES[machine]})
    changes: dict[Any, Any] = {
        Machine: HostMachine(system_of(release), hardware),
        GpuDaemonState: lambda unit, files=(): world.unit(unit),
        UnitStates: lambda units: _states(world, units),
        ShippedUnit: lambda unit: world.shipped,
        OwnUnitFiles: world.own_unit_files,
        LoadedModules: lambda: dict.fromkeys(["nvidia", *world.modules], ""),
        **facts.get("changes", {}),
    }
    return plan_of(deploy, world, release, data, changes)


def _states(world: CompanionWorld, units: Sequence[str]) -> dict[str, UnitState]:
    return {unit: world.daemons.get(unit, UnitState()) for unit in units}


def versions_plan(plans: Mapping[str, str]) -> str:
    """Put plans for several versions together: the first whole, of the others what differs from the first."""
    operations = {version: re.split(r"^(?=\S)", text, flags=re.MULTILINE) for version, text in plans.items()}
    first = next(iter(operations.values()))
    parts = [
        f"# driver {version}\n" + "".join(rows if rows is first else _other(rows, first))
        for version, rows in operations.items()
    ]
    return "\n".join(parts)


def _other(rows: Sequence[str], first: Sequence[str]) -> list[str]:
    return [row for row in rows if row and row not in first]
