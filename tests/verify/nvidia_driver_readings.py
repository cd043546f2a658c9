"""What the checks of the role `nvidia_driver` ask a host, and how they read its answers."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from testinfra.host import Host

from gpufleet.facts.boot import RebootRequired
from gpufleet.facts.dkms import DkmsModule, DkmsModules
from gpufleet.facts.hardware import PciDevices
from gpufleet.facts.nvidia import Daemon, Daemons, Driver, DriverState
from gpufleet.health import Probe, unproven
from gpufleet.stack.gpus import nvidia_gpus
from roles.nvidia_driver.builds import BUILDS, OPEN, PROPRIETARY, SOURCES
from roles.nvidia_driver.choice import Choice, choose
from roles.nvidia_driver.options import NvidiaDriver
from roles.nvidia_driver.steps import MODULE_OPTIONS, OPEN_PIN, PIN

_GPU_FIELDS = ("pci.bus_id", "driver_version", "persistence_mode", "ecc.errors.uncorrected.volatile.total")
_REMAP_FIELDS = ("gpu_bus_id", "remapped_rows.pending", "remapped_rows.failure")
_SOURCES = "|".join((*SOURCES, "nvidia-persistenced"))

PROBE = {
    "kernel": "uname -r",
    "pci": PciDevices().command(),
    "bound": (
        "for d in /sys/bus/pci/devices/*; do [ ! -e $d/driver ] || "
        "echo ${d##*/} $(basename $(readlink $d/driver)); done; true"
    ),
    **{f"{build.flavor} driver": DriverState().command(module=build.module) for build in BUILDS.values()},
    **{f"{build.flavor} dkms": DkmsModules().command(module=build.module) for build in BUILDS.values()},
    "packages": (
        "dpkg-query -W -f '${source:Package} ${db:Status-Want} ${db:Status-Status} ${Package} ${Version}\\n' "
        f"| grep -E '^({_SOURCES}) '; true"
    ),
    "pin": f"cat /etc/apt/preferences.d/{PIN}.pref",
    "open pin": f"cat /etc/apt/preferences.d/{OPEN_PIN}.pref",
    "module options": f"cat /{MODULE_OPTIONS}",
    "daemons": Daemons().command(),
    "gpus": f"nvidia-smi --query-gpu={','.join(_GPU_FIELDS)} --format=csv,noheader,nounits",
    "remapped rows": f"nvidia-smi --query-remapped-rows={','.join(_REMAP_FIELDS)} --format=csv,noheader,nounits",
    "reboot": RebootRequired().command(),
    "nouveau": "ls -d /sys/module/nouveau; true",
    "kernel log": "dmesg | grep NVRM; true",
}

#: nvidia-smi is slow on a host that is not well, and slower on one without the persistence daemon.
PROBE_TIMEOUT = 60


@dataclass(frozen=True)
class Package:
    """One package of the driver's sources."""

    source: str
    want: str
    name: str
    version: str


@dataclass(frozen=True)
class Reading:
    """A host's answers, and the driver that was chosen for it; checks of a driver that is to be absent expect none."""

    probe: Probe
    options: NvidiaDriver
    choice: Choice
    gpus: frozenset[str]

    @property
    def present(self) -> bool:
        """Whether the host is to have a driver."""
        return self.options.state == "present"

    @property
    def version(self) -> str:
        """The upstream version that every part is to be; empty where there is to be none."""
        return self.choice.wanted.version if self.present else ""

    @property
    def driver(self) -> Driver:
        """The driver's parts."""
        return DriverState().process(self.probe[f"{self.choice.build.flavor} driver"].lines)

    @property
    def dkms(self) -> list[DkmsModule]:
        """What dkms knows of the chosen module, or of any where there is to be none."""
        builds = [self.choice.build] if self.present else [PROPRIETARY, OPEN]
        return [row for build in builds for row in DkmsModules().process(self.probe[f"{build.flavor} dkms"].lines)]

    @property
    def packages(self) -> list[Package]:
        """Installed packages of the driver's sources."""
        rows = [line.split() for line in self.probe["packages"].lines]
        return [
            Package(source, want, name, version)
            for source, want, status, name, version in rows
            if status == "installed"
        ]

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


Declared = Callable[[type[NvidiaDriver]], NvidiaDriver]


@pytest.fixture
def reading(probe: Probe, declared: Declared, host: Host) -> Reading:
    """Read the host; without GPUs it has no driver, and nothing can be said of one."""
    options = declared(NvidiaDriver)
    gpus = nvidia_gpus(PciDevices().process(probe["pci"].lines))
    if not gpus and options.state == "present":
        unproven("no NVIDIA GPU on the PCI bus, so the role installs no driver")
    name = str(host.backend.get_hostname())
    choice = choose(name, options, [gpu.device for gpu in gpus]) if options.state == "present" else Choice()
    assert choice.refusal is None, str(choice.refusal)
    return Reading(probe, options, choice, frozenset(gpu.address for gpu in gpus))
