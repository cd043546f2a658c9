"""What the checks of the role `nvidia_driver` ask a host, and how they read its answers."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from testinfra.host import Host

from gpufleet.facts.apt_holds import HOLD_PINS
from gpufleet.facts.boot import RebootRequired
from gpufleet.facts.dkms import DkmsModule, DkmsModules
from gpufleet.facts.dnf import LOCK_LIST, ModuleStreams
from gpufleet.facts.hardware import PciDevices
from gpufleet.facts.machine import HostMachine, Machine
from gpufleet.facts.nvidia import Daemon, Daemons, Driver, DriverState, RunfileTraces
from gpufleet.facts.packages import HeldPackages, InstalledVersions
from gpufleet.facts.repositories import RepositoryKey
from gpufleet.facts.secure_boot import EnrolledKeys, SecureBoot
from gpufleet.facts.signing import ModuleSigner
from gpufleet.health import Probe, unproven
from gpufleet.inventory.hosts import InventoryHost
from gpufleet.stack import driver_names
from gpufleet.stack.gpus import nvidia_gpus
from gpufleet.stack.host.resolved import resolved
from gpufleet.stack.matrix import load
from roles.nvidia_driver.choice import Choice, choose, refusals
from roles.nvidia_driver.options import NvidiaDriver
from roles.nvidia_driver.places import MODULE_OPTIONS, PIN
from roles.nvidia_driver.removal import dkms_modules
from tests.verify.cuda_readings import Record

_GPU_FIELDS = ("pci.bus_id", "driver_version", "persistence_mode", "ecc.errors.uncorrected.volatile.total")
_REMAP_FIELDS = ("gpu_bus_id", "remapped_rows.pending", "remapped_rows.failure")
#: Names of the module's file: Debian's builds have names of their own.
_MODULES = sorted({row.module for row in load().schemes})

PROBE = {
    "machine": Machine().command(),
    "kernel": "uname -r",
    "pci": PciDevices().command(),
    "bound": (
        "for d in /sys/bus/pci/devices/*; do [ ! -e $d/driver ] || "
        "echo ${d##*/} $(basename $(readlink $d/driver)); done; true"
    ),
    **{f"driver {module}": DriverState().command(module=module) for module in _MODULES},
    **{f"signer {module}": ModuleSigner().command(module=module) for module in _MODULES},
    **{f"dkms {module}": DkmsModules().command(module=module) for module in dkms_modules()},
    "packages": InstalledVersions().command(),
    "held": HeldPackages().command(),
    "locks": f"cat {HOLD_PINS} {LOCK_LIST} 2>/dev/null; true",
    "streams": ModuleStreams().command(),
    "pin": f"cat /etc/apt/preferences.d/{PIN}.pref 2>/dev/null; true",
    "module options": f"cat /{MODULE_OPTIONS}",
    "apt key": RepositoryKey().command(path="/etc/apt/keyrings/cuda.gpg"),
    "dnf key": RepositoryKey().command(path="/etc/pki/rpm-gpg/RPM-GPG-KEY-cuda"),
    "runfile": RunfileTraces().command(),
    "secure boot": SecureBoot().command(),
    "enrolled": EnrolledKeys().command(),
    "daemons": Daemons().command(),
    "gpus": f"nvidia-smi --query-gpu={','.join(_GPU_FIELDS)} --format=csv,noheader,nounits",
    "remapped rows": f"nvidia-smi --query-remapped-rows={','.join(_REMAP_FIELDS)} --format=csv,noheader,nounits",
    "reboot": RebootRequired().command(),
    "nouveau": "ls -d /sys/module/nouveau; true",
    "kernel log": "dmesg | grep NVRM; true",
}

#: What nvidia-smi prints where a GPU has no such counter.
NO_COUNTER = ("[N/A]", "N/A", "[Not Supported]")
#: nvidia-smi is slow on a host that is not well, and slower on one without the persistence daemon.
PROBE_TIMEOUT = 60


@dataclass(frozen=True)
class Reading:
    """A host's answers, and the driver that was chosen for it; checks of a driver that is to be absent expect none."""

    probe: Probe
    options: NvidiaDriver
    choice: Choice | None
    gpus: frozenset[str]
    installed: dict[str, str] = field(default_factory=dict)

    @property
    def present(self) -> bool:
        """Whether the host is to have a driver."""
        return self.choice is not None

    @property
    def version(self) -> str:
        """The upstream version that every part is to be; empty where there is to be none."""
        return self.choice.version if self.choice else ""

    @property
    def module(self) -> str:
        """Name of the module's file."""
        return self.choice.wanted.module if self.choice else "nvidia"

    @property
    def driver(self) -> Driver:
        """The driver's parts."""
        return DriverState().process(self.probe[f"driver {self.module}"].lines)

    @property
    def signer(self) -> str:
        """Who signed the module on disk."""
        return ModuleSigner().process(self.probe[f"signer {self.module}"].lines)

    @property
    def secure_boot(self) -> bool:
        """Whether the firmware demands signatures."""
        return SecureBoot().process(self.probe["secure boot"].lines) == "enabled"

    @property
    def is_trusted(self) -> bool:
        """Whether the module's signer is enrolled; a module that was built elsewhere may have a vendor's signature."""
        keys = EnrolledKeys().process(self.probe["enrolled"].lines)
        enrolled = any(f"CN={self.signer}" in key.subject.replace(" = ", "=") for key in keys)
        return bool(self.signer) and (enrolled or self.options.modules == "precompiled")

    @property
    def dkms(self) -> list[DkmsModule]:
        """What dkms knows of the chosen module, or of any where there is to be none."""
        names = [self.choice.driver.dkms_module] if self.choice else dkms_modules()
        return [row for name in names for row in DkmsModules().process(self.probe[f"dkms {name}"].lines)]

    @property
    def own(self) -> dict[str, str]:
        """Installed packages of the driver, whoever made them, and what was wished for by name."""
        names = driver_names.of_driver(self.installed)
        wanted = {package.name for package in self.choice.driver.packages} if self.choice else set()
        own = {name: version for name, version in self.installed.items() if name in names | wanted}
        return {name: version for name, version in own.items() if not name.startswith(driver_names.PINNING)}

    @property
    def loose(self) -> list[str]:
        """Installed packages of the driver that are not held."""
        return sorted(self.own.keys() - HeldPackages().process(self.probe["held"].lines))

    @property
    def keys(self) -> tuple[str, ...]:
        """Fingerprints of the keys that NVIDIA's repository is trusted by."""
        is_el = self.choice is not None and self.choice.system.family == "el"
        return RepositoryKey().process(self.probe["dnf key" if is_el else "apt key"].lines).fingerprints

    @property
    def daemon(self) -> Daemon:
        """The persistence daemon; one that is not installed neither runs nor starts at boot."""
        missing = Daemon(active=False, enabled=False, pid=0)
        return Daemons().process(self.probe["daemons"].lines).get("nvidia-persistenced", missing)

    def answers(self, section: str) -> list[dict[str, str]]:
        """Rows of nvidia-smi by field, bus ids spelled as sysfs does."""
        answer, fields = self.probe[section], _GPU_FIELDS if section == "gpus" else _REMAP_FIELDS
        assert answer.rc == 0, f"nvidia-smi: expected exit status 0, found {answer.rc}: {answer.text or answer.errors}"
        rows = [dict(zip(fields, row, strict=True)) for row in csv.reader(answer.lines, skipinitialspace=True)]
        return [{**row, fields[0]: row[fields[0]].lower()[-12:]} for row in rows]


@pytest.fixture
def reading(probe: Probe, declared: Callable[[Any], Any], host: Host) -> Reading:
    """Read the host; without GPUs it has no driver, and nothing can be said of one."""
    options: NvidiaDriver = declared(NvidiaDriver)
    gpus = nvidia_gpus(PciDevices().process(probe["pci"].lines))
    if not gpus and options.state == "present":
        unproven("no NVIDIA GPU on the PCI bus, so the role installs no driver")
    machine = Machine().process(probe["machine"].lines)
    choice = _choice(declared(Record), options, machine, str(host.backend.get_hostname()))
    installed = InstalledVersions().process(probe["packages"].lines)
    return Reading(probe, options, choice, frozenset(gpu.address for gpu in gpus), installed)


def _choice(record: InventoryHost, options: NvidiaDriver, machine: HostMachine, name: str) -> Choice | None:
    if options.state == "absent":
        return None
    resolution = resolved(record, machine, record.folder)
    refused = refusals(name, options, resolution)
    assert not refused, "; ".join(map(str, refused))
    return choose(options, resolution, machine)


def flagged(reading: Reading, field: str) -> list[str]:
    """GPUs whose flag is up; parts without row remapping have no such flag."""
    rows = reading.answers("remapped rows") if reading.present else []
    return [row["gpu_bus_id"] for row in rows if row[field].lower() not in {"0", "no", *map(str.lower, NO_COUNTER)}]


def pinned(preferences: str) -> str:
    """The version that a preferences file pins with priority, in words where it does not."""
    lines = dict(line.split(": ", 1) for line in preferences.splitlines() if ": " in line)
    if not lines:
        return "no pin"
    strong = int(lines.get("Pin-Priority", "0")) > 1000
    return lines.get("Pin", "").removeprefix("version ") if strong else f"priority {lines.get('Pin-Priority')}"
