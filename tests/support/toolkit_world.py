"""An imagined host for plans of the role container_toolkit: a driver, its GPUs, and what describes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gpufleet.containers.gpu_devices import SPECIFICATION, Devices, Links, Specification
from gpufleet.containers.judging import Trial
from gpufleet.containers.schema import DROP_INS
from gpufleet.facts.containerd import UNIT as CONTAINERD
from gpufleet.facts.gpu_containers import RuntimeTasks
from gpufleet.facts.gpu_devices import DeviceLinks, GpuDevices, GpuSpecifications
from gpufleet.facts.units import UnitState
from gpufleet.stack.container_toolkit_choice import PACKAGES
from roles.container_toolkit.steps import UNIT, UNIT_FILE, WATCH
from tests.support.companion_world import companion_plan
from tests.support.runtime_world import RuntimeWorld, runtime_facts

VERSIONS = ("1.20.0", "1.19.1", "1.18.2", "1.18.0", "1.17.8")
NODES = {"/dev/nvidia0": "195:0", "/dev/nvidiactl": "195:255"}
#: Fabric manager's, which nvidia-ctk links where it is there, and not by what may come.
CAPABILITY = {"/dev/nvidia-caps/nvidia-cap0": "506:0"}


@dataclass
class ToolkitWorld(RuntimeWorld):
    """A host with a driver and GPUs, and with the toolkit or without."""

    devices: Devices = field(default_factory=lambda: Devices("580.95.05", ("GPU-0a", "GPU-0b")))
    described: Devices | None = None
    #: What runs by NVIDIA's runtime.
    tasks: list[str] = field(default_factory=list)

    def offered(self, package: str) -> list[str]:
        """Versions to be had, newest first."""
        return [f"{version}-1" for version in VERSIONS] if package in PACKAGES else super().offered(package)

    def run(self, command: str) -> None:
        """Change as a command of the plan asks; containerd remembers a drop-in that is gone."""
        if command.startswith(f"rm -f {DROP_INS}/") and self.unit(CONTAINERD).state.is_running:
            self.stale.add(CONTAINERD)
        super().run(command)

    def trial(self, candidates: Mapping[str, str] | None = None, without: Sequence[str] = ()) -> Trial:
        """What containerd says of the files, without some of them."""
        files = {path: text for path, text in self.files.items() if path not in without}
        return RuntimeWorld.trial(replace(self, files=files), candidates)

    def _bring(self, name: str, release: str) -> None:
        super()._bring(name, release)
        if name == "nvidia-container-toolkit-base":
            self.stale.add(UNIT)
            self.files["/etc/nvidia-container-runtime/config.toml"] = "#disable-require = false\n"
            if not release.startswith("1.17"):
                self.daemons.setdefault(WATCH, UnitState("loaded", "inactive", "enabled"))

    def _remove(self, names: Sequence[str]) -> None:
        super()._remove(names)
        if "nvidia-container-toolkit-base" in names:
            self.daemons.pop(WATCH, None)

    def _unit(self, unit: str, verb: str, now: bool) -> None:
        super()._unit(unit, verb, now or (unit == WATCH and verb == "enable"))
        if unit == WATCH and verb == "enable":
            self.daemons[unit] = UnitState("loaded", "active", "enabled")
        if unit == UNIT and verb in ("start", "restart"):
            self.described = self.devices
            self.files[SPECIFICATION] = "devices"

    def specifications(self) -> dict[str, Specification]:
        """What the unit wrote."""
        there = self.described if SPECIFICATION in self.files else None
        return {SPECIFICATION: Specification(("all", *there.names), there.driver)} if there else {}

    def links(self) -> Links:
        """Links as the unit made them."""
        lines = self.files.get(f"/{UNIT_FILE}", "").splitlines()
        made = NODES if self.described else {}
        if self.described and any(line.endswith("create-dev-char-symlinks") for line in lines):
            made = {**NODES, **CAPABILITY}
        return Links({**NODES, **CAPABILITY}, {number: path for path, number in made.items()})


def toolkit_plan(
    deploy: Callable[[], Any], world: ToolkitWorld, release: str, data: Mapping[str, Any], machine: str = "hgx-h100"
) -> str:
    """Plan a deploy on a host that follows the plan."""
    changes: dict[Any, Any] = {
        **runtime_facts(world),
        GpuDevices: lambda: world.devices,
        GpuSpecifications: world.specifications,
        DeviceLinks: world.links,
        RuntimeTasks: lambda program: world.tasks,
    }
    return companion_plan(deploy, world, release, machine, data, changes=changes)
