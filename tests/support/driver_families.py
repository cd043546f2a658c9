"""What the tests of the driver on every family share: their hosts, the stages of their story, and a look at a host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gpufleet.facts.dkms import DkmsModules
from gpufleet.facts.nvidia import Daemons, DriverState
from gpufleet.facts.packages import HeldPackages, InstalledVersions, LockedVersions
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
B570, OLD_580, B580, B590 = "570.195.03", "580.95.05", "580.105.08", "590.48.01"
#: Systems for which NVIDIA's first branch is 580: their story begins with an older release of it.
YOUNG = ("n13", "r10")
#: Hosts with options of the module, which their boot images contain too.
TUNED, OPTIONS = ("n12", "r9"), {"NVreg_EnableStreamMemOPs": 1}

#: Packages that have other names from branch to branch: at 580 companions drop its number, at 590 Ubuntu's drivers do.
COMPANIONS = {
    "deb 570": ("nvidia-fabricmanager-570", "libnvidia-nscq-570", "nvidia-imex-570"),
    "rpm 570": ("nvidia-fabric-manager", "libnvidia-nscq-570", "nvidia-imex-570"),
    "later": ("nvidia-fabricmanager", "libnvidia-nscq", "nvidia-imex"),
}
SOURCES = {
    "u 570 open": "nvidia-dkms-570-open",
    "u 580 open": "nvidia-dkms-580-open",
    "u 590 open": "nvidia-dkms-open",
    "u 590 proprietary": "nvidia-dkms",
    "n open": "nvidia-kernel-open-dkms",
    "n proprietary": "nvidia-kernel-dkms",
    "r open": "kmod-nvidia-open-dkms",
    "r proprietary": "kmod-nvidia-latest-dkms",
}
RUNNING = frozenset({"nvidia-persistenced", "nvidia-fabricmanager", "nvidia-imex"})

PIN, STREAM = "/etc/apt/preferences.d/gpufleet-nvidia.pref", "/etc/dnf/modules.d/nvidia-driver.module"
#: Everything that a look asks, answered by one command on the host.
ASKED = {
    "driver": DriverState().command(module="nvidia"),
    "packages": InstalledVersions().command(),
    "held": HeldPackages().command(),
    "locked": LockedVersions().command(),
    "dkms": DkmsModules().command(module="nvidia"),
    "daemons": Daemons().command(),
    "programs": "for p in nv-fabricmanager nvidia-imex; do $p --version; done | grep -oE '[0-9]+([.][0-9]+)+'; true",
    "pin": f"sed -n 's/^Pin: version //p' {PIN} 2>/dev/null; sed -n 's/^stream=//p' {STREAM} 2>/dev/null; true",
}
NEXT = "-- next --"

LEFTOVERS = (
    "for f in /etc/apt/preferences.d/*nvidia* /etc/apt/preferences.d/gpufleet-holds.pref /etc/apt/sources.list.d/cuda* "
    "/etc/apt/keyrings/cuda* /etc/yum.repos.d/cuda* /etc/pki/rpm-gpg/*cuda* /etc/modprobe.d/*nvidia* "
    "/etc/dkms/framework.conf.d/gpufleet.conf /var/lib/dkms/gpufleet-mok* /var/lib/shim-signed/mok/MOK.* "
    "/var/lib/dkms/nvidia* /usr/src/nvidia-[0-9]*/* /lib/modules/*/*/dkms/nvidia* /lib/modules/*/extra/nvidia* "
    "/sys/module/nvidia* /etc/nvidia-imex /etc/systemd/system/nvidia-* /run/gpufleet/reboot-required/*; do "
    "[ ! -e $f ] || echo $f; done; grep -hE 'nvidia|nscq' /etc/dnf/plugins/versionlock.list 2>/dev/null; "
    "grep -lE '^state *= *enabled' /etc/dnf/modules.d/nvidia*.module 2>/dev/null; "
    "{ lsinitramfs /boot/initrd.img-* || lsinitrd /boot/initramfs-*.img; } 2>/dev/null | grep gpufleet-nvidia; true"
)


@dataclass(frozen=True)
class Sight:
    """Every place where a version lives on a host, and what keeps it there."""

    loaded: str
    flavor: str
    on_disk: str
    userspace: str
    #: Versions of all packages of the driver and its companions; of DKMS' builds; of what the daemons' programs say.
    packages: frozenset[str]
    builds: frozenset[str]
    programs: frozenset[str]
    #: Versions that locks name, of whatever package of the driver.
    locks: frozenset[str]
    #: The pin of the driver, or the module stream.
    pin: str
    #: Packages whose names tell branches apart.
    names: frozenset[str]
    #: Daemons that run, and do at boot: fabric manager and IMEX refuse a driver of another version.
    daemons: frozenset[str] = RUNNING
    #: Packages of the driver and its companions that are not on hold.
    loose: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Stage:
    """One version and flavor for every host."""

    version: str
    flavor: str = "open"

    def of(self, host: str) -> str:
        """Version for a host."""
        return OLD_580 if host in YOUNG and self.version == B570 else self.version

    def data(self, host: str) -> dict[str, Any]:
        """What the inventory says of a host in this stage; IMEX runs in a domain of one host."""
        driver: dict[str, Any] = {"version": self.of(host), "flavor": self.flavor, "source": "nvidia"}
        driver |= {"module_options": OPTIONS} if host in TUNED else {}
        mirrors = {"repositories": {"cuda": nvidia_repository()}}
        imex = {"run": "on", "nodes": ["127.0.0.1"]}
        return {"nvidia_driver": driver, "fabric_manager": {}, "imex": imex, "stack": mirrors}

    def sight(self, host: str) -> Sight:
        """What a look at a host is to show after this stage."""
        version = self.of(host)
        only = frozenset({version})
        return Sight(
            *(version, self.flavor, version, version),
            packages=only,
            builds=only,
            programs=only,
            locks=only,
            pin=self._pin(host),
            names=frozenset(self._names(host)),
        )

    def _pin(self, host: str) -> str:
        if not host.startswith("r"):
            return f"{self.of(host)}-*"
        return "" if host == "r10" else f"{self.version[:3]}-{'open' if self.flavor == 'open' else 'dkms'}"

    def _names(self, host: str) -> tuple[str, ...]:
        family, branch = host[0], self.of(host)[:3]
        of_570 = "rpm 570" if family == "r" else "deb 570"
        own = f"u {branch} {self.flavor}" if family == "u" else f"{family} {self.flavor}"
        return (SOURCES[own], *COMPANIONS[of_570 if branch == "570" else "later"])


STAGES: Mapping[str, Stage] = {
    "install 570": Stage(B570),
    "upgrade to 580": Stage(B580),
    "upgrade to 590": Stage(B590),
    "switch to proprietary": Stage(B590, "proprietary"),
    "downgrade to 580": Stage(B580),
}


def look(host: LabHost) -> Sight:
    """Look at a host from outside, with the facts' commands but none of the role's decisions."""
    script = f"; echo '{NEXT}'; ".join(f"( {command} )" for command in ASKED.values())
    answers = host.execute(script).stdout.split(f"{NEXT}\n")
    lines = {asked: answer.splitlines() for asked, answer in zip(ASKED, answers, strict=True)}
    installed = InstalledVersions().process(lines["packages"])
    own = {name for name in driver_names.of_driver(installed) if not name.startswith(driver_names.PINNING)}
    own |= driver_names.companions(installed).keys()
    locks = LockedVersions().process(lines["locked"]).values()
    driver, daemons = DriverState().process(lines["driver"]), Daemons().process(lines["daemons"])
    return Sight(
        *(driver.loaded, driver.flavor, driver.on_disk, driver.userspace),
        packages=frozenset(upstream(installed[name]) for name in own),
        builds=frozenset(row.version for row in DkmsModules().process(lines["dkms"])),
        programs=frozenset(lines["programs"]),
        locks=frozenset(upstream(version) for version in locks if driver_names.looks_like_driver(version)),
        pin=" ".join(lines["pin"]),
        names=frozenset(name for name in own if "dkms" in name or name in driver_names.companions(installed)),
        daemons=frozenset(name for name, daemon in daemons.items() if daemon.active and daemon.enabled),
        loose=frozenset(own - HeldPackages().process(lines["held"])),
    )


def leftovers(host: LabHost) -> list[str]:
    """What a removal left behind: packages, pins, locks, streams, repositories, keys, sources, builds and modules."""
    installed = InstalledVersions().process(host.execute(InstalledVersions().command()).stdout.splitlines())
    held = HeldPackages().process(host.execute(HeldPackages().command()).stdout.splitlines())
    names = {name for name in {*installed, *held} if "nvidia" in name} | driver_names.of_driver(installed)
    return sorted(names) + host.execute(LEFTOVERS).stdout.split()
