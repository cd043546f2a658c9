"""Imagined hosts for plans of the roles `cuda` and `nccl`: they change as the plan's commands ask them to."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Any
from unittest.mock import patch

from pyinfra.facts.files import Directory

from gpufleet.facts import apt, packages, rpm
from gpufleet.facts.alternatives import Alternative, AlternativeState
from gpufleet.facts.apt_holds import HOLD_PINS
from gpufleet.facts.cuda import RECORD, ManagedToolkits
from gpufleet.facts.linker import StaleLinkerCache
from gpufleet.facts.machine import HostMachine, Machine
from gpufleet.facts.unpacked import UnpackedPackage, UnpackedPackages
from gpufleet.operations import dnf_locks, nccl_tests, unpacked
from gpufleet.stack.machine import Hardware, Platform
from tests.support.driver_facts import plan_of, system_of
from tests.support.driver_world import World

TOOLKITS = {"12-4": "12.4.1-1", "12-9": "12.9.1-1", "13-0": "13.0.2-1"}
NCCL = ("2.28.3-1+cuda13.0", "2.28.3-1+cuda12.9", "2.27.7-1+cuda12.9")
DISTRIBUTION = {"nvidia-cuda-toolkit": "12.4.131~12.4.1-2", "libnccl2": "2.22.3-1-1", "libnccl-dev": "2.22.3-1-1"}
#: Two of the packages that a toolkit's own brings.
PARTS = ("cuda-nvcc-{}", "cuda-toolkit-{}-config-common")
CONVERGED = {dnf_locks.PLUGIN: "4.3.0-20"}


@dataclass
class CudaWorld(World):
    """A host with toolkits and builds of NCCL."""

    own: bool = False
    default: str = ""
    chosen: bool = False
    unpacked: list[UnpackedPackage] = field(default_factory=list)
    stale: bool = True

    def offered(self, package: str) -> list[str]:
        """Versions to be had of toolkits and NCCL, newest first."""
        if self.own:
            return [DISTRIBUTION[package]] if package in DISTRIBUTION else []
        suffix = re.search(r"-(\d+-\d+)(-config-common)?$", package)
        versions = [TOOLKITS[suffix[1]]] if suffix and suffix[1] in TOOLKITS else []
        if package.startswith("libnccl"):
            return list(NCCL)
        return versions or super().offered(package)

    def run(self, command: str) -> None:
        """Change as a command of the plan asks."""
        if command.startswith("update-alternatives --set cuda "):
            self.default, self.chosen = command.rsplit(maxsplit=1)[-1], True
        elif command == "ldconfig":
            self.stale = False
        elif match := re.search(r"(unpack|clear) (?P<name>\S+) (?P<version>\S+) (?P<directory>[^\s']+)", command):
            row = UnpackedPackage(match["name"], match["version"], match["directory"])
            (self.unpacked.append if match[1] == "unpack" else self.unpacked.remove)(row)
        else:
            super().run(command)

    def _bring(self, name: str, release: str) -> None:
        if f"Package: {name}\n" in self.files.get(HOLD_PINS, ""):
            self.held.add(name)  # as the installation itself does
        if match := re.fullmatch(r"cuda-toolkit-(\d+-\d+)", name):
            self.installed.update({part.format(match[1]): TOOLKITS[match[1]] for part in PARTS})
            self.installed["cuda-toolkit-config-common"] = "13.0.96-1"

    def alternative(self) -> Alternative:
        """The group `cuda`, as the toolkits' scripts register it."""
        found = [re.fullmatch(r"cuda-toolkit-(\d+)-(\d+)-config-common", name) for name in sorted(self.installed)]
        choices = tuple(f"/usr/local/cuda-{match[1]}.{match[2]}" for match in found if match)
        return Alternative(self.default or (choices[-1] if choices else ""), self.chosen, choices)

    def versions(self, packages: Sequence[str] | None = None) -> dict[str, str]:
        """What is installed of packages or patterns."""
        there = {**CONVERGED, **self.installed}
        return {
            name: version
            for name, version in there.items()
            if packages is None or any(fnmatchcase(name, pattern) for pattern in packages)
        }


def cuda_plan(
    deploy: Callable[[], Any],
    world: CudaWorld,
    release: str,
    data: Mapping[str, Any],
    changes: Mapping[Any, Any] = MappingProxyType({}),
    platform: Platform = "bare-metal",
    gpus: tuple[str, ...] = (),
) -> str:
    """Plan a deploy on a host that follows the plan; scripts with tests of their own are shortened."""
    record = ManagedToolkits()
    facts = {
        **dict.fromkeys((packages.InstalledVersions, apt.InstalledVersions, rpm.InstalledVersions), world.versions),
        Directory: _directory,
        Machine: HostMachine(system_of(release), Hardware(gpus=gpus, platform=platform)),
        AlternativeState: lambda group: world.alternative(),
        ManagedToolkits: lambda: record.process(world.files.get(RECORD, "").splitlines()),
        UnpackedPackages: lambda: list(world.unpacked),
        StaleLinkerCache: lambda links=(): ["/etc/ld.so.conf.d"] if world.stale else [],
        **changes,
    }
    with (
        patch.object(unpacked, "_script", _script),
        patch.object(nccl_tests, "_BUILD", "build {url} {sha256} into {directory} {stamp}{where:.0s}"),
    ):
        return plan_of(deploy, world, release, data, facts)


def _directory(path: str) -> dict[str, Any] | None:
    name = path.rpartition("/")[2]
    is_file = path == RECORD or "RPM-GPG-KEY" in name or ("." in name and not name.endswith(".d"))
    return None if is_file else {"mode": 755, "user": "root", "group": "root"}


def _script(text: str, row: UnpackedPackage, **words: str) -> str:
    verb = "unpack" if "fetch" in words else "clear"
    return f"{verb} {row.name} {row.version} {row.directory}"
