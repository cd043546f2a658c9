"""Packages of the NVIDIA driver: moved from any version and packager to another in one transaction, held, purged."""

from __future__ import annotations

from collections.abc import Container, Generator, Mapping, Sequence
from typing import Any

from pyinfra.api.operation import operation
from pyinfra.context import host

from gpufleet.facts.family import EL, OsFamily
from gpufleet.facts.packages import AvailableVersions, HeldPackages, InstalledVersions, LockedVersions
from gpufleet.operations import apt, apt_get, dnf, dnf_command, packages, wishes
from gpufleet.stack import driver_names, versions
from gpufleet.stack.driver_change import change, following
from gpufleet.stack.resolution import DriverChoice, Package

Commands = Generator[Any, None, None]

#: Headers of precompiled modules, in whose place a DKMS build of EL 8 and 9 would find the wrong ones.
#: Source: NVIDIA/deepops, roles/nvidia-dgx/tasks/redhat-el8-plus.yml, 2026-08.
BEFORE_DKMS = ("nvidia-kmod-headers",)


@operation()
def pinned(driver: DriverChoice, companions: Sequence[Package] = ()) -> Commands:
    """
    Hold the driver's packages to their version before they are installed.

    NVIDIA's apt repositories have a package for it from some branch on, which also stops what no role names.

    + driver: the driver the host shall have
    + companions: packages that follow the driver's version where they are installed

    **Example:**

    .. code:: python

        driver_packages.pinned(driver=resolution.driver, name="Pin the driver")
    """
    have: dict[str, str] = host.get_fact(InstalledVersions)
    yield from _pinning(driver.pinning, have)
    wanted = _exact([*driver.packages, *following(have, companions)])
    if host.get_fact(OsFamily) == EL and (others := _locked_elsewhere(driver.version, wanted)):
        # dnf sees no other version of a locked package; apt changes held ones where it is told to.
        yield from packages.held._inner(packages=others, present=False)
    yield from packages.held._inner(packages=[f"{name}={version}" for name, version in wanted.items()])


@operation()
def installed(driver: DriverChoice, companions: Sequence[Package] = (), timeout: int = 2400) -> Commands:
    """
    Bring the host from whatever driver packages it has to exactly these.

    Names change from branch to branch and from packager to packager, so new packages come and old ones go in one
    transaction: the host is never without a driver because half of it failed. What must have the driver's version,
    such as fabric manager, moves along.

    + driver: the driver the host shall have
    + companions: packages that follow the driver's version where they are installed
    + timeout: seconds after which the installation is stopped on the host

    **Example:**

    .. code:: python

        driver_packages.installed(driver=resolution.driver, name="Install the driver")
    """
    have: dict[str, str] = host.get_fact(InstalledVersions)
    moves = change(driver, following(have, companions), have)
    # Want these and no others and have it so?
    if not moves.needed:
        host.noop(wishes.noop_text({package.name: package for package in driver.packages}, have))
        return
    family, files = host.get_fact(OsFamily), {package.name: package.file for package in driver.packages if package.file}
    sought = {name: version for name, version in moves.install.items() if name not in files}
    yield _refresh(family, timeout, cached=True)
    chosen, missing = wishes.choose(sought, AvailableVersions)
    if missing:
        # The lists may be fresh by the clock and still older than the version asked for.
        yield _refresh(family, timeout, cached=False)
        chosen, missing = wishes.choose(sought, AvailableVersions)
    if missing:
        yield wishes.not_to_be_had(missing, "a dnf repository" if family == EL else "an apt repository")
        return
    along, dropped = wishes.choose(dict.fromkeys(moves.along, driver.version), AvailableVersions)
    # What the new driver has no version of any more was the old one's: left there, it would hold that in place.
    remove = sorted({*moves.remove, *(wish.partition("=")[0] for wish in dropped)})
    yield from _transaction(family, {**chosen, **along}, [*files.values()], remove, timeout)


@operation()
def held(driver: DriverChoice) -> Commands:
    """
    Hold everything that is installed of the driver, what its packages pulled in included, and nothing that is gone.

    + driver: the driver the host has

    **Example:**

    .. code:: python

        driver_packages.held(driver=resolution.driver, name="Hold the driver's packages")
    """
    have: dict[str, str] = host.get_fact(InstalledVersions)
    own = {name for name in driver_names.of_driver(have) if versions.upstream(have[name]) == driver.version}
    others = {package.name for package in driver.packages} | ({driver.pinning} & have.keys())
    locks: dict[str, str] = host.get_fact(LockedVersions)
    gone = sorted(name for name, at in locks.items() if driver_names.looks_like_driver(at) and name not in have)
    if gone:
        yield from packages.held._inner(packages=gone, present=False)
    yield from packages.held._inner(packages=sorted(own | others))


@operation()
def removed(also: Sequence[str] = ()) -> Commands:
    """
    Purge every package of the driver, whoever made it, with what must have its version, and forget the holds.

    + also: packages that go with the driver and have versions of their own

    **Example:**

    .. code:: python

        driver_packages.removed(name="Purge the driver", also=["nvidia-persistenced"])
    """
    have: dict[str, str] = host.get_fact(InstalledVersions)
    kept = {*host.get_fact(HeldPackages), *host.get_fact(LockedVersions)}
    locks = {name for name, version in host.get_fact(LockedVersions).items() if driver_names.looks_like_driver(version)}
    unwanted = driver_names.of_driver(have) | {name for name in also if name in have}
    if let_go := sorted((unwanted & kept) | locks):
        yield from packages.held._inner(packages=let_go, present=False)
    yield from packages.removed._inner(packages=sorted(unwanted | set(also)))


def _locked_elsewhere(version: str, apart: Container[str]) -> list[str]:
    """Name packages that are locked to another driver's version, apart from these."""
    return sorted(
        name
        for name, locked in host.get_fact(LockedVersions).items()
        if name not in apart and driver_names.looks_like_driver(locked) and versions.upstream(locked) != version
    )


def _exact(listed: Sequence[Package]) -> dict[str, str]:
    return {package.name: package.version for package in listed if package.version and not package.file}


def _refresh(family: str, timeout: int, cached: bool) -> Any:
    age = 3600 if cached else 0
    if family == EL:
        return dnf_command.makecache(timeout=dnf.REFRESH_TIMEOUT, lock_timeout=timeout, cache_time=age)
    return apt_get.update(timeout=apt.UPDATE_TIMEOUT, lock_timeout=timeout, cache_time=age)


def _pinning(package: str, have: Mapping[str, str]) -> Commands:
    """Have the package that pins this version, and none that pins another."""
    others = sorted(name for name in have if name.startswith(driver_names.PINNING) and name != package)
    if package and package not in have:
        yield apt_get.update(timeout=apt.UPDATE_TIMEOUT, lock_timeout=apt.LOCK_TIMEOUT, cache_time=3600)
        specs = [package, *(f"{name}-" for name in others)]
        yield apt_get.install(specs, apt.UPDATE_TIMEOUT, apt.LOCK_TIMEOUT)
    if others:
        yield from apt.removed._inner(packages=others, purge=True)


def _transaction(
    family: str, chosen: Mapping[str, str | None], files: Sequence[str], remove: Sequence[str], timeout: int
) -> Commands:
    """Install and remove. Who holds the lock may be this very installation, cut off: it gets the time to end.

    apt takes removals as names with a minus. dnf cannot be told both at once: packages that exclude each other it
    exchanges by itself, and what has no such relation goes afterwards, or first where DKMS would stumble over it.
    """
    mark = "-" if family == EL else "="
    specs = [f"{name}{mark}{version}" if version else name for name, version in sorted(chosen.items())] + [*files]
    if family != EL:
        yield apt_get.install([*specs, *(f"{name}-" for name in remove)], timeout, timeout)
    else:
        if before := [name for name in remove if name in BEFORE_DKMS]:
            yield dnf_command.remove(before, timeout, timeout)
        yield dnf_command.install(specs, timeout, timeout, erasing=True)
    if remove:
        yield from packages.removed._inner(packages=remove, timeout=timeout, lock_timeout=timeout)
