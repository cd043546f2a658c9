"""What every host of the fleet has in common, whatever runs on it."""

from __future__ import annotations

from pyinfra.api.deploy import deploy
from pyinfra.context import host

from gpufleet.facts.family import DEBIAN, OsFamily
from gpufleet.facts.kernel import RunningKernel
from gpufleet.facts.packages import InstalledVersions
from roles.base import clock, kernel, limits, names, nouveau, packages, power
from roles.base.options import Base


@deploy("Base")
def base() -> None:
    """Bring a host to the state that every other role builds on.

    It configures:

    - apt or dnf: no automatic updates or upgrades, their timers masked, the running kernel and its headers held
    - kernel modules, kernel settings (sysctl), and a blacklist of nouveau that the initramfs contains too
    - limits on locked memory and open files, for logins and for services
    - swap off for good, with zram; the CPU frequency governor
    - time by chrony; the host name and entries at the top of /etc/hosts

    It will not:

    - upgrade anything, install a kernel, or reboot: where nouveau cannot be unloaded it records a reason to reboot
    - delete a line of /etc/fstab or chrony.conf: it comments out; other lines of /etc/hosts stay
    - set a kernel setting that this kernel does not have: verification reports those as unproven
    """
    options = Base.of(host)
    family = host.get_fact(OsFamily)
    installed = host.get_fact(InstalledVersions, packages=packages.PATTERNS)
    running = host.get_fact(RunningKernel)

    # First, because it refuses a host of a family that is not known; the rest would go by Debian's names.
    packages.hold_kernel(options, installed, running, family)
    family = family or DEBIAN
    packages.stop_automatic_upgrades(family)
    kernel.load_modules(options)
    kernel.set_sysctl(options)
    nouveau.keep_away(family)
    limits.of_logins(options)
    limits.of_services(options)
    power.turn_swap_off(options)
    power.set_cpu_governor(options)
    clock.synchronize(options, installed, family)
    names.name_host(options, host.name)
