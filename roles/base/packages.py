"""apt: nothing upgrades by itself, and the kernel stays where it is."""

from __future__ import annotations

import re
from collections.abc import Iterable

from gpufleet.operations import apt, files, units
from roles.base.options import Base

#: What apt and unattended-upgrades start by themselves.
UPGRADERS = ("apt-daily.timer", "apt-daily-upgrade.timer", "unattended-upgrades.service")

#: A metapackage follows the newest kernel, so its name carries no version: linux-image-amd64, linux-headers-generic.
METAPACKAGE = re.compile(r"linux-(image|headers)-[a-z][a-z0-9-]*")


def stop_automatic_upgrades() -> None:
    """Switch apt's periodic work off in its settings and mask what would do it."""
    files.rendered(path="etc/apt/apt.conf.d/99-gpufleet", name="Switch apt's periodic work off")
    units.masked(units=list(UPGRADERS), name="Mask the timers and services that upgrade by themselves")


def hold_kernel(options: Base, installed: Iterable[str], running: str) -> None:
    """Hold the kernel that runs, its headers, and what would bring a newer one; or let them go."""
    packages = kernel_packages(installed, running)
    verb = "Hold" if options.hold_kernel else "Let go of"
    apt.hold(packages=packages, present=options.hold_kernel, name=f"{verb} the kernel and its headers")


def kernel_packages(installed: Iterable[str], running: str) -> list[str]:
    """Return the installed packages that are the running kernel or its headers, or would replace them."""
    own = {f"linux-image-{running}", f"linux-image-{running}-unsigned", f"linux-headers-{running}"}
    return sorted(name for name in installed if name in own or METAPACKAGE.fullmatch(name))
