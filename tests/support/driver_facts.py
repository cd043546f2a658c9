"""Facts of an imagined host for plans of the role nvidia_driver, and the plans themselves."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any
from unittest.mock import patch

from pyinfra.connectors.fake import FakeConnector
from pyinfra.facts.files import Directory, File, Sha1File, Sha256File

from gpufleet.facts import apt, apt_holds, dnf, packages, rpm
from gpufleet.facts.boot import RebootRequired
from gpufleet.facts.dkms import DkmsModule, DkmsModules
from gpufleet.facts.family import DEBIAN, EL, OsFamily
from gpufleet.facts.kernel import LoadedModules, ModuleHolders, RunningKernel
from gpufleet.facts.machine import HostMachine, Machine
from gpufleet.facts.nvidia import Daemon, Daemons, Driver, DriverState
from gpufleet.facts.repositories import KeyFile, KeyringsWith, RepositoryKey, YumRepositories
from gpufleet.facts.signing import ModuleSigner
from gpufleet.facts.sources import SourcesFiles
from gpufleet.operations import dnf_locks, repository_keys
from gpufleet.stack.host import resolved
from gpufleet.stack.machine import Hardware, System
from tests.support.driver_world import World, some, states
from tests.support.plans import plan

KERNELS = {
    "debian": "6.1.0-50-amd64",
    "ubuntu": "6.8.0-60-generic",
    "el-9": "5.14.0-570.12.1.el9_6.x86_64",
    "el-10": "6.12.0-55.9.1.el10_0.x86_64",
}
SOURCES = (
    "Types: deb\nURIs: http://archive:3142/debian\nSuites: bookworm\n"
    "Components: main contrib non-free non-free-firmware\n"
)
H100, V100, B200 = "2330", "1db6", "2901"
#: What is no directory, by its suffix: all parents of files are there.
_FILE = re.compile(r"\.(?!d$)\w+$")
MODULES = ("nvidia_uvm", "nvidia_drm", "nvidia_modeset", "nvidia")


def system_of(release: str) -> System:
    """A system of the matrix: `el-9` is Rocky Linux here."""
    name, _, version = release.partition("-")
    return System("rocky" if name == "el" else name, version)


def kernel_of(release: str) -> str:
    """A kernel that this system could run."""
    return KERNELS.get(release) or KERNELS[release.partition("-")[0]]


def facts(world: World, release: str, changes: Mapping[Any, Any]) -> dict[Any, Any]:
    """Facts of a world on a system of the matrix; they follow the world. `changes` replace facts, or `gpu`."""
    gpu = changes.get("gpu", H100)
    kernel = kernel_of(release)
    headers = {f"linux-headers-{kernel}": "1.0-1", "dkms": "3.0.10-8", dnf_locks.PLUGIN: "4.3.0-20"}
    headers |= {"kernel-headers": "1.0-1", "kernel-devel": kernel.removesuffix(".x86_64")}
    hardware = Hardware(gpus=(gpu,) * 8 if gpu else (), kernel=kernel)

    def installed(packages: Any = None) -> dict[str, str]:
        return some({**headers, **world.installed}, packages)

    return {
        Machine: HostMachine(system_of(release), hardware),
        OsFamily: EL if world.is_el else DEBIAN,
        RunningKernel: kernel,
        SourcesFiles: {"/etc/apt/sources.list.d/debian.sources": SOURCES},
        RepositoryKey: lambda path: KeyFile((world.files[path],) if path in world.files else ()),
        KeyringsWith: lambda key: {path: 1 for path, text in world.files.items() if text.endswith(key)},
        YumRepositories: {"crb": True, "epel": True},
        rpm.KernelVersions: lambda package: {kernel},
        **dict.fromkeys((packages.InstalledVersions, apt.InstalledVersions, rpm.InstalledVersions), installed),
        **dict.fromkeys((packages.AvailableVersions, apt.AvailableVersions, dnf.AvailableVersions), world.offers),
        **dict.fromkeys((packages.HeldPackages, apt.HeldPackages), lambda: set(world.held)),
        apt_holds.HoldPins: lambda: apt_holds.HoldPins().process(_lines(world, apt_holds.HOLD_PINS)),
        dnf.Locks: lambda: _lines(world, dnf.LOCK_LIST),
        dnf.LockedVersions: lambda: dnf.LockedVersions().process(_lines(world, dnf.LOCK_LIST)),
        packages.LockedVersions: lambda: packages.LockedVersions().process(_locks(world)),
        dnf.ModuleStreams: lambda: dict(world.streams),
        apt.PackageStates: lambda packages: states(installed(), packages),
        DkmsModules: lambda module: _builds(world, module, kernel),
        ModuleSigner: lambda module: world.signer,
        LoadedModules: lambda: dict.fromkeys(MODULES, world.loaded) if world.loaded else {},
        DriverState: lambda module: _driver(world),
        ModuleHolders: lambda modules: list(world.holders),
        Daemons: lambda: {"nvidia-persistenced": Daemon(world.daemon, world.daemon, 812 * world.daemon)},
        RebootRequired: lambda: dict(world.marks),
        File: world.file,
        Sha1File: lambda path: world.digest(path, "sha1"),
        Sha256File: lambda path: world.digest(path, "sha256"),
        Directory: lambda path: None if _FILE.search(path) else {"mode": 755, "user": "root", "group": "root"},
        **changes,
    }


def plan_of(
    deploy: Callable[[], Any],
    world: World,
    release: str,
    data: Mapping[str, Any],
    changes: Mapping[Any, Any] = MappingProxyType({}),
) -> str:
    """Plan a deploy on a world, which changes as the plan goes on."""

    def run(connector: Any, command: Any, *_args: Any, **_kwargs: Any) -> Any:
        success, output = connector._lookup_response(command.get_masked_value())
        if success:
            world.run(command.get_masked_value())
        return success, output

    def put(_connector: Any, source: Any, remote: str, *_args: Any, **_kwargs: Any) -> bool:
        if not isinstance(source, str):
            source.seek(0)
        content = Path(source).read_bytes() if isinstance(source, str) else source.read()
        world.put(remote, content.decode("latin-1") if isinstance(content, bytes) else content)
        return True

    with (
        patch.object(FakeConnector, "run_shell_command", run),
        patch.object(FakeConnector, "put_file", put),
        patch.object(repository_keys, "_script", _trust),
        patch.object(resolved, "_MACHINES", {}),  # hosts of other plans have the same name
    ):
        return plan(deploy, facts(world, release, changes), data)


def without_noops(text: str) -> str:
    """A plan without the operations that have nothing to do."""
    operations = re.split(r"^(?=\S)", text, flags=re.MULTILINE)
    return "".join(operation for operation in operations if "\n     nothing to do" not in operation)


def _trust(path: str, fetch: str, pinned: str, wrong: str) -> str:
    """The script that fetches a key has tests of its own and is shortened to where from, where to and which."""
    source = re.search(r"https?://[^\s'\"]+", fetch)
    return f"trust {pinned} in {path} (from {source[0] if source else 'the inventory'})"


def _driver(world: World) -> Driver:
    flavor = world.flavor if world.loaded else ""
    return Driver(world.loaded, flavor, world.on_disk, world.userspace, dict(world.parameters))


def _builds(world: World, module: str, kernel: str) -> list[DkmsModule]:
    version = world.built.get(module)
    return [DkmsModule(module, version, kernel, "installed")] if version else []


def _lines(world: World, path: str) -> list[str]:
    return world.files.get(path, "").splitlines()


def _locks(world: World) -> list[str]:
    return [*_lines(world, apt_holds.HOLD_PINS), *_lines(world, dnf.LOCK_LIST)]
