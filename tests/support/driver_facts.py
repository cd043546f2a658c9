"""Facts of imagined hosts for plans of the role nvidia_driver: before the packages changed, and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha1
from typing import Any

from pyinfra.facts.files import Directory, File, Sha1File

from gpufleet.facts.apt import (
    AvailableVersions,
    HeldPackages,
    InstalledFromSource,
    InstalledVersions,
    PackageStates,
)
from gpufleet.facts.boot import RebootRequired
from gpufleet.facts.dkms import DkmsModule, DkmsModules
from gpufleet.facts.hardware import PciDevice, PciDevices
from gpufleet.facts.kernel import Holder, LoadedModules, ModuleHolders, RunningKernel
from gpufleet.facts.nvidia import Daemon, Daemons, Driver, DriverState
from gpufleet.facts.sources import SourcesFiles

KERNEL = "6.1.0-50-amd64"
HEADERS = f"linux-headers-{KERNEL}"
OLD, NEW = "535.216.03", "535.261.03"
DEBIAN = {OLD: "535.216.03-2~bpo12+1", NEW: "535.261.03-1"}
SOURCE = "nvidia-graphics-drivers"
MODULE_PACKAGES = ("nvidia-kernel-dkms", "nvidia-kernel-support")
PULLED_IN = ("firmware-nvidia-gsp", "nvidia-alternative")
USERSPACE = ("libcuda1", "libnvidia-cfg1", "libnvidia-ml1", "nvidia-smi")
COMPONENTS = "main contrib non-free non-free-firmware"
SOURCES = f"Types: deb\nURIs: http://archive:3142/debian\nSuites: bookworm\nComponents: {COMPONENTS}\n"
H100 = PciDevice("0000:1b:00.0", "10de", "2330", "030200", "10de:16c1")
PIN = "/etc/apt/preferences.d/gpufleet-nvidia.pref"
FILE = {"mode": 644, "user": "root", "group": "root"}
MODULES = ("nvidia_uvm", "nvidia_drm", "nvidia_modeset", "nvidia")


@dataclass
class Machine:
    """A host at one moment: what is installed, built, loaded and running."""

    installed: str = ""
    loaded: str = ""
    built: str = ""
    held: bool = False
    daemon: bool = True
    parameters: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    marks: Mapping[str, str] = field(default_factory=dict)
    holders: Sequence[Holder] = ()

    def packages(self) -> dict[str, str]:
        """Everything installed that matters, by name."""
        if not self.installed:
            return {}
        own = (*MODULE_PACKAGES, *PULLED_IN, *USERSPACE)
        return dict.fromkeys(own, DEBIAN[self.installed]) | {
            "nvidia-persistenced": "535.171.04-1~deb12u1",
            "dkms": "3.0.10-8+deb12u1",
            HEADERS: "6.1.170-1",
        }

    def driver(self) -> Driver:
        """The driver's versions."""
        flavor = "proprietary" if self.loaded else ""
        return Driver(self.loaded, flavor, self.built, self.installed, dict(self.parameters))


def converged(version: str, **changes: Any) -> Machine:
    """A machine where everything is this version."""
    same = {"installed": version, "loaded": version, "built": version, "held": True, "files": {PIN: pin(version)}}
    return Machine(**{**same, **changes})


def pin(version: str) -> str:
    """The pin of a version, as apt reads it."""
    head = f"Explanation: Managed by gpufleet; do not edit\nPackage: src:{SOURCE}\n"
    return f"{head}Pin: version {version}-*\nPin-Priority: 1001\n"


def facts(before: Machine, after: Machine | None = None, **changes: Any) -> dict[Any, Any]:
    """Facts of a machine that is `before`, and becomes `after` as the role goes on; `changes` replace facts."""
    moments = Moments(before, after or before)
    return {
        PciDevices: [H100],
        SourcesFiles: {"/etc/apt/sources.list.d/debian.sources": SOURCES},
        RunningKernel: KERNEL,
        AvailableVersions: _available,
        HeldPackages: lambda: set(before.packages()) if before.held else set(),
        PackageStates: lambda packages: {n: v for n, v in _states(before).items() if n in packages},
        InstalledVersions: lambda packages: _some(moments.packages().packages(), packages),
        InstalledFromSource: moments.of_source,
        DkmsModules: lambda module: moments.builds(),
        LoadedModules: lambda: dict.fromkeys(MODULES, before.loaded) if before.loaded else {},
        DriverState: lambda module: moments.driver(),
        ModuleHolders: lambda modules: list(before.holders),
        Daemons: moments.daemons,
        RebootRequired: moments.marks,
        File: lambda path: dict(FILE) if path in before.files else None,
        Sha1File: lambda path: sha1(before.files[path].encode()).hexdigest() if path in before.files else None,
        Directory: lambda path: dict(FILE, mode=755) if path.endswith(".d") else None,
        **changes,
    }


class Moments:
    """Which of the two moments a question is about, by the order of the role's steps: it asks for the packages of the
    source before it changes them and again to hold them, and for the driver before the swap and again after it.
    """

    def __init__(self, before: Machine, after: Machine) -> None:
        self.before, self.after = before, after
        self.asked_for_source = self.asked_for_driver = self.asked_for_marks = 0

    def packages(self) -> Machine:
        """The machine as dpkg sees it."""
        return self.after if self.asked_for_source > 1 else self.before

    def of_source(self, source: str) -> dict[str, str]:
        """Installed packages of the driver's source."""
        self.asked_for_source += 1
        own = (*MODULE_PACKAGES, *PULLED_IN, *USERSPACE)
        return _some(self.packages().packages(), own) if source == SOURCE else {}

    def builds(self) -> list[DkmsModule]:
        """What dkms knows once the packages are installed."""
        built = self.after.built
        return [DkmsModule("nvidia-current", built, KERNEL, "installed")] if built else []

    def driver(self) -> Driver:
        """New files and the old module until the swap, the new module after it."""
        self.asked_for_driver += 1
        live = self.after if self.asked_for_driver > 1 else self.before
        return Driver(**{**vars(self.after.driver()), **_live(live)})

    def marks(self) -> dict[str, str]:
        """Reasons to reboot; the swap asks twice before it leaves one."""
        self.asked_for_marks += 1
        return dict((self.after if self.asked_for_marks > 2 else self.before).marks)

    def daemons(self) -> dict[str, Daemon]:
        """The persistence daemon, where it is installed."""
        machine = self.packages()
        on = machine.daemon
        return {"nvidia-persistenced": Daemon(on, on, 812 if on else 0)} if machine.installed else {}


def _live(machine: Machine) -> dict[str, Any]:
    return {key: vars(machine.driver())[key] for key in ("loaded", "flavor", "parameters")}


def _some(packages: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    return {name: version for name, version in packages.items() if name in names}


def _states(machine: Machine) -> dict[str, tuple[str, str]]:
    return {name: ("installed", version) for name, version in machine.packages().items()}


def _available(package: str) -> list[str]:
    return [DEBIAN[NEW], DEBIAN[OLD]] if package in (*MODULE_PACKAGES, *PULLED_IN, *USERSPACE) else ["1.0-1"]
