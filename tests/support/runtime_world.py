"""An imagined host for plans of the role container_runtime: packages bring a unit that runs, files make it stale."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gpufleet.containers.judging import Trial
from gpufleet.containers.schema import DROP_INS, ROOT_FILE
from gpufleet.facts import cni
from gpufleet.facts.containerd import (
    UNIT,
    ConfigTrial,
    DropIns,
)
from gpufleet.facts.filesystems import MountPoint
from gpufleet.facts.gpu_daemons import GpuDaemon
from gpufleet.facts.registries import MARK, OwnRegistries
from gpufleet.facts.units import UnitState
from gpufleet.stack.versions import upstream
from tests.support.companion_world import CompanionWorld, companion_plan
from tests.support.imagined_containerd import trial

OFFERS = {
    "containerd": ["1.7.24~ds1-6+deb13u1", "1.6.20~ds1-1+deb12u3"],
    "containerd.io": [
        "2.3.6-1~debian.13~trixie",
        "2.2.6-1~debian.13~trixie",
        "2.2.0-1~debian.13~trixie",
        "2.1.5-1~debian.13~trixie",
    ],
    "runc": ["1.1.15+ds1-2+b4"],
    "containernetworking-plugins": ["1.1.1+ds1-3+b17"],
}
#: What Docker's package has in the place of a configuration.
SHIPPED = 'disabled_plugins = ["cri"]\n'
READ = (ROOT_FILE, f"{DROP_INS}/", f"/etc/systemd/system/{UNIT}.d/")


@dataclass
class RuntimeWorld(CompanionWorld):
    """A host with containerd, or without."""

    mount: str = "/"
    #: Plugins that are not linked yet.
    unlinked: list[str] = field(default_factory=list)
    #: Whether containerd's unit has a drop-in that systemd has not read.
    is_unread: bool = False

    def offered(self, package: str) -> list[str]:
        """Versions to be had, newest first."""
        found = OFFERS.get(package, super().offered(package))
        return [version.partition("~debian")[0] for version in found] if self.is_el else found

    def run(self, command: str) -> None:
        """Change as a command of the plan asks."""
        if command.startswith("mv -f "):
            for move in command.split(" && "):
                source, target = move.split()[-2:]
                self.put(target, self.files.pop(source))
        elif "--downloadonly" in command:
            pass  # fetched, and nothing installed
        elif command == "systemctl daemon-reload":
            self.is_unread = False
        elif command.startswith("ln -sf "):
            assert command.endswith(cni.DIRECTORY)
            self.unlinked.clear()
        else:
            super().run(command)

    def put(self, path: str, text: str) -> None:
        """Take a file; containerd has read those of before, and systemd the unit's drop-ins."""
        if path.startswith(READ) and self.unit(UNIT).state.is_running:
            self.stale.add(UNIT)
        self.is_unread = self.is_unread or path.startswith(READ[-1])
        super().put(path, text)

    def unit(self, name: str) -> GpuDaemon:
        """What systemd says of a unit."""
        return replace(super().unit(name), is_unread=self.is_unread and name == UNIT)

    def _unit(self, unit: str, verb: str, now: bool) -> None:
        super()._unit(unit, verb, now)
        if verb in ("enable", "unmask"):  # which reload
            self.is_unread = False

    def _bring(self, name: str, release: str) -> None:
        """Start what comes, as packages do."""
        super()._bring(name, release)
        if name in ("containerd", "containerd.io"):
            self.daemons[UNIT] = UnitState("loaded", "active", "enabled")
            self.files.setdefault(ROOT_FILE, SHIPPED)
        if name == "containernetworking-plugins":
            self.unlinked = ["/usr/lib/cni/bridge", "/usr/lib/cni/loopback"]

    def _remove(self, names: Sequence[str]) -> None:
        super()._remove(names)
        if {"containerd", "containerd.io"} & set(names):
            self.daemons.pop(UNIT, None)
            self.files.pop(ROOT_FILE, None)  # purged, or saved under another name

    def trial(self, candidates: Mapping[str, str] | None = None, without: Sequence[str] = ()) -> Trial:
        """What the installed containerd says of the files; nothing where none is installed."""
        files = {**self.files, **{path: self.files[file] for path, file in (candidates or {}).items()}}
        files = {path: text for path, text in files.items() if path not in without}
        installed = [upstream(row) for name, row in self.installed.items() if name.startswith("containerd")]
        return trial(installed[0], files) if installed else Trial(files, code=127)


def runtime_facts(world: RuntimeWorld) -> dict[Any, Any]:
    """Facts about containerd that follow the world."""
    return {
        ConfigTrial: world.trial,
        DropIns: lambda: {path: world.files[path] for path in sorted(world.files) if path.startswith(f"{DROP_INS}/")},
        OwnRegistries: lambda: [
            path.split("/")[-2] for path, text in world.files.items() if "/certs.d/" in path and text.startswith(MARK)
        ],
        cni.UnlinkedPlugins: lambda: list(world.unlinked),
        MountPoint: lambda directory: world.mount,
    }


def runtime_plan(
    deploy: Callable[[], Any], world: RuntimeWorld, release: str, data: Mapping[str, Any], **facts: Any
) -> str:
    """Plan a deploy on a host that follows the plan."""
    return companion_plan(deploy, world, release, "cpu-only", data, changes={**runtime_facts(world), **facts})
