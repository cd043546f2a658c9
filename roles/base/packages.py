"""Packages: nothing upgrades by itself, and the kernel stays where it is."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gpufleet.facts.family import DEBIAN, EL
from gpufleet.operations import files, packages, units
from gpufleet.operations.kernel_headers import el_package
from roles.base.families import FAMILIES
from roles.base.options import Base

#: Patterns of the packages whose presence this role asks for.
PATTERNS = ("linux-*", "kernel*", "chrony")

#: A metapackage follows the newest kernel, so its name carries no kernel version: linux-image-amd64,
#: linux-headers-generic, linux-image-generic-hwe-22.04; Ubuntu has some that bring image and headers together.
METAPACKAGE = re.compile(
    r"linux-((image|headers|modules-extra)-[a-z][a-z0-9-]*|(generic|virtual|lowlatency|aws|azure|gcp|oracle|nvidia)"
    r"(-[a-z][a-z0-9-]*)?)(-\d\d\.\d\d)?"
)
#: Packages that EL makes of one kernel; of some variants, such as `64k`, under names of their own.
EL_KERNEL = re.compile(r"kernel(-64k|-rt)?(-(core|modules|modules-core|modules-extra|devel|devel-matched))?")


def stop_automatic_upgrades(family: str) -> None:
    """Switch apt's periodic work off in its settings and mask what would upgrade."""
    if family == DEBIAN:
        files.rendered(path="etc/apt/apt.conf.d/99-gpufleet", name="Switch apt's periodic work off")
    upgraders = list(FAMILIES[family].upgraders)
    units.masked(units=upgraders, name="Mask the timers and services that upgrade by themselves")


def hold_kernel(options: Base, installed: Mapping[str, str], running: str, family: str) -> None:
    """Hold the kernel that runs, its headers, and what would bring a newer one; or let them go."""
    verb = "Hold" if options.hold_kernel else "Let go of"
    packages.held(
        packages=kernel_packages(installed, running, family),
        present=options.hold_kernel,
        name=f"{verb} the kernel and its headers",
    )


def kernel_packages(installed: Mapping[str, str], running: str, family: str) -> list[str]:
    """Return the installed packages that are the running kernel or its headers, or would replace them.

    EL installs kernels side by side under one name, so there each is named with the running kernel's version.
    """
    if family == EL:
        _, version = el_package(running)
        return sorted(f"{name}={version}" for name in installed if EL_KERNEL.fullmatch(name))
    parts = ("image", "headers", "modules", "modules-extra")
    exact = {f"linux-{part}-{running}" for part in parts} | {f"linux-image-{running}-unsigned"}
    return sorted(name for name in installed if name in exact or METAPACKAGE.fullmatch(name))
