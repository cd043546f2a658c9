"""What the checks of the role `base` ask a host, and how they read its answers."""

from __future__ import annotations

from gpufleet.facts.cpu import CpuGovernors
from gpufleet.facts.family import OsFamily, by_family
from gpufleet.facts.naming import Naming
from gpufleet.facts.packages import HeldPackages, InstalledVersions, LockedVersions
from gpufleet.facts.swap import SwapState
from gpufleet.facts.units import UnitState, UnitStates
from gpufleet.health import Probe, unproven
from roles.base.clock import SOURCES
from roles.base.families import FAMILIES, Family
from roles.base.nouveau import BLACKLIST
from roles.base.packages import PATTERNS
from roles.base.power import UNIT

UNITS = sorted({unit for names in FAMILIES.values() for unit in (*names.upgraders, names.chrony_unit)})
CONFIGS = " ".join(names.chrony_config for names in FAMILIES.values())

PROBE = {
    "family": OsFamily().command(),
    "kernel": "uname -r",
    "installed": InstalledVersions().command(packages=PATTERNS),
    "held": HeldPackages().command(),
    "locked": LockedVersions().command(),
    "apt": by_family("apt-config dump APT::Periodic", "true"),
    "units": UnitStates().command(units=[*UNITS, UNIT]),
    "modules": "ls /sys/module; sed 's|.*/||; s|[.]ko$||' \"/lib/modules/$(uname -r)/modules.builtin\"",
    "modules at boot": "cat /etc/modules-load.d/gpufleet.conf",
    "sysctl at boot": "cat /etc/sysctl.d/60-gpufleet.conf",
    "sysctl": (
        "sed -n 's/ = .*//p' /etc/sysctl.d/60-gpufleet.conf | while read -r key; do "
        'path=/proc/sys/$(echo "$key" | tr ./ /.); [ -e "$path" ] && echo "$key" = $(cat "$path"); done; true'
    ),
    "login limits": 'su - "${SUDO_USER:-root}" -s /bin/sh -c "cat /proc/self/limits"',
    "login limits at rest": "cat /etc/security/limits.d/60-gpufleet.conf",
    "service limits": "systemd-run --wait --pipe --quiet --collect cat /proc/self/limits",
    "service limits at rest": "cat /etc/systemd/system.conf.d/60-gpufleet.conf",
    "hard limits": "cat /proc/1/limits",
    "capabilities": "sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status",
    "swap": SwapState().command(),
    "governors": CpuGovernors().command(),
    "time": "chronyc -n -c tracking",
    "time sources": "chronyc -n -c sources",
    "time servers": f"cat /etc/chrony/sources.d/gpufleet.sources; grep -hs '{SOURCES}' {CONFIGS}; true",
    "time running": "ps -o etimes= -C chronyd | sort -n | tail -n 1",
    "modprobe": "modprobe --showconfig",
    "initramfs": (
        "for image in /boot/initrd.img-* /boot/initramfs-*.img; do "
        'kernel=${image#/boot/init*-}; kernel=${kernel%.img}; [ -d "/lib/modules/$kernel" ] || continue; state=lacks; '
        "case $image in *.img) list=lsinitrd;; *) list=lsinitramfs;; esac; "
        f"[ ! -e /{BLACKLIST} ] || [ $image -nt /{BLACKLIST} ] || state=predates; "
        f"[ $state = predates ] || ! $list $image | grep -qE '(^| ){BLACKLIST}$' || state=contains; "
        "echo $kernel $state; done"
    ),
    "names": Naming().command(),
}

#: The capability without which no process can raise a hard limit.
CAP_SYS_RESOURCE = 24


def family(probe: Probe) -> Family:
    """Return what the host's family calls things."""
    return FAMILIES[OsFamily().process(probe["family"].lines)]


def states(probe: Probe) -> dict[str, UnitState]:
    """State of every unit that was asked about."""
    return UnitStates().process(probe["units"].lines)


def settings(text: str, separator: str) -> dict[str, str]:
    """Read `key separator value` lines; comments hold no separator that stands alone."""
    rows = [line.partition(separator) for line in text.splitlines() if separator in line and line[0] not in "#/["]
    return {key.strip(): " ".join(value.split()) for key, _, value in rows}


def limits(text: str, name: str) -> tuple[float, float]:
    """Soft and hard limit in a /proc/<pid>/limits: of `memlock` in KiB, of `nofile` in files."""
    title, unit = {"memlock": ("Max locked memory", 1024), "nofile": ("Max open files", 1)}[name]
    words = next(line.removeprefix(title) for line in text.splitlines() if line.startswith(title)).split()
    soft, hard = (float(word.replace("unlimited", "inf")) // unit for word in words[:2])
    return soft, hard


def assert_limit(probe: Probe, section: str, name: str, declared_limit: int | str) -> None:
    """Fail on another limit than the declared one, unless no process of this host can have it."""
    expected = float(str(declared_limit).replace("unlimited", "inf"))
    soft, hard = limits(probe[section].text, name)
    _, own = limits(probe["hard limits"].text, name)
    may_raise = int(probe["capabilities"].text, 16) >> CAP_SYS_RESOURCE & 1
    what = {"memlock": "memlock in KiB", "nofile": "nofile"}[name]
    text = f"{section}: expected {what} {shown(expected)}, found soft {shown(soft)} and hard {shown(hard)}"
    if not may_raise and hard == own < expected:
        unproven(f"{text}; the host's own hard limit is {shown(own)}")
    assert (soft, hard) == (expected, expected), text


def shown(limit: float) -> str:
    """Return a limit as people write it."""
    return "unlimited" if limit == float("inf") else f"{limit:.0f}"
