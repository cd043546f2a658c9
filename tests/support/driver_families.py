"""What the tests of the driver on every family share: their hosts, the stages of their story, and a look at a host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gpufleet.facts.dkms import DkmsModules
from gpufleet.facts.nvidia import DriverState
from gpufleet.facts.packages import HeldPackages, InstalledVersions
from gpufleet.lab.inventory import nvidia_repository
from gpufleet.lab.lab import LabHost
from gpufleet.stack import driver_names
from gpufleet.stack.versions import upstream

#: Stand-ins are called so; the others are Debian itself with NVIDIA's packages from the lab.
HOSTS = (
    "u22=ubuntu-22.04-stand-in/hgx-h100",
    "u24=ubuntu-24.04-stand-in/hgx-h100",
    "n12=debian-12/hgx-h100",
    "n13=debian-13/hgx-h100",
    "r9=rocky-9-stand-in/hgx-h100",
    "r10=rocky-10-stand-in/hgx-h100",
)
NAMES = tuple(host.partition("=")[0] for host in HOSTS)
B570, B580, B590 = "570.195.03", "580.105.08", "590.48.01"
#: Systems for which NVIDIA's first branch is 580.
YOUNG = ("n13", "r10")

LEFTOVERS = (
    "for f in /etc/apt/preferences.d/*nvidia* /etc/apt/preferences.d/gpufleet-holds.pref /etc/apt/sources.list.d/cuda* "
    "/etc/apt/keyrings/cuda* /etc/yum.repos.d/cuda* /etc/pki/rpm-gpg/*cuda* /etc/modprobe.d/gpufleet-nvidia.conf "
    "/var/lib/dkms/nvidia* /usr/src/nvidia-[0-9]*/* /lib/modules/*/*/dkms/nvidia* /lib/modules/*/extra/nvidia*; do "
    "[ ! -e $f ] || echo $f; done; grep -h nvidia /etc/dnf/plugins/versionlock.list 2>/dev/null; "
    "grep -lE '^state *= *enabled' /etc/dnf/modules.d/nvidia*.module 2>/dev/null; true"
)


@dataclass(frozen=True)
class Sight:
    """Every place where a version lives on a host, and what of it is not on hold."""

    loaded: str
    flavor: str
    on_disk: str
    userspace: str
    fabric_manager: str
    packages: frozenset[str]
    builds: frozenset[str]
    loose: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Stage:
    """One version and flavor for every host."""

    version: str
    flavor: str = "open"

    def data(self, host: str) -> dict[str, Any]:
        """What the inventory says of a host in this stage."""
        version = B580 if host in YOUNG and self.version == B570 else self.version
        driver = {"version": version, "flavor": self.flavor, "source": "nvidia"}
        mirrors = {"repositories": {"cuda": nvidia_repository()}}
        return {"nvidia_driver": driver, "fabric_manager": {}, "stack": mirrors}

    def sight(self, host: str) -> Sight:
        """What a look at a host is to show after this stage."""
        version = str(self.data(host)["nvidia_driver"]["version"])
        only = frozenset({version})
        return Sight(version, self.flavor, version, version, version, packages=only, builds=only)


STAGES: Mapping[str, Stage] = {
    "install 570": Stage(B570),
    "upgrade to 580": Stage(B580),
    "upgrade to 590": Stage(B590),
    "switch to proprietary": Stage(B590, "proprietary"),
    "downgrade to 580": Stage(B580),
}


def look(host: LabHost) -> Sight:
    """Look at a host from outside, with the facts' commands but none of the role's decisions."""
    lines = {
        fact: host.execute(command).stdout.splitlines()
        for fact, command in {
            "driver": DriverState().command(module="nvidia"),
            "packages": InstalledVersions().command(),
            "held": HeldPackages().command(),
            "dkms": DkmsModules().command(module="nvidia"),
        }.items()
    }
    installed = InstalledVersions().process(lines["packages"])
    own = {name for name in driver_names.of_driver(installed) if not name.startswith(driver_names.PINNING)}
    companions = driver_names.companions(installed)
    managers = [upstream(installed[name]) for name, kind in companions.items() if kind == "fabric_manager"]
    driver = DriverState().process(lines["driver"])
    return Sight(
        driver.loaded,
        driver.flavor,
        driver.on_disk,
        driver.userspace,
        ", ".join(managers),
        packages=frozenset(upstream(installed[name]) for name in own),
        builds=frozenset(row.version for row in DkmsModules().process(lines["dkms"])),
        loose=frozenset(own - HeldPackages().process(lines["held"])),
    )


def leftovers(host: LabHost) -> list[str]:
    """What a removal left behind: packages, pins, locks, streams, repositories, keys, sources, builds and modules."""
    installed = InstalledVersions().process(host.execute(InstalledVersions().command()).stdout.splitlines())
    packages = sorted(name for name in installed if "nvidia" in name or name in driver_names.of_driver(installed))
    return packages + host.execute(LEFTOVERS).stdout.split()
