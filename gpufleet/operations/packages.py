"""Packages on either family of operating systems: exact versions, holds that come first, and removal."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any

from pyinfra.api.operation import operation
from pyinfra.context import host

from gpufleet.facts.family import DEBIAN, EL, OsFamily
from gpufleet.operations import apt, apt_get, apt_holds, dnf, dnf_command, dnf_locks, failure

Commands = Generator[Any, None, None]


@operation()
def exact(
    packages: Sequence[str],
    version: str | None = None,
    timeout: int = 1800,
    lock_timeout: int = apt.LOCK_TIMEOUT,
    cache_time: int = 3600,
    recommended: bool = False,
    erase_conflicts: bool = False,
) -> Commands:
    """
    Install packages at exact versions, upwards or downwards, holds notwithstanding.

    + packages: names, or `name=version` for a version of its own
    + version: version of the packages that give none; without it, the held one, and any where there is no hold
    + timeout: seconds after which the installation is stopped on the host
    + lock_timeout: seconds to wait for another user of the package manager
    + cache_time: seconds after which the lists of packages count as stale
    + recommended: install what the packages only recommend (rpm: their weak dependencies) too
    + erase_conflicts: let dnf remove installed packages that stand in the way; apt does so unasked

    A short version, `580.95.05`, means the newest release of that upstream version, whatever its epoch.

    **Example:**

    .. code:: python

        packages.exact(name="Install NCCL", packages=["libnccl2"], version="2.28.3-1+cuda13.0")
    """
    yield from _by_family(
        lambda: apt.exact._inner(
            packages=packages,
            version=version,
            timeout=timeout,
            lock_timeout=lock_timeout,
            cache_time=cache_time,
            recommended=recommended,
        ),
        lambda: dnf.exact._inner(
            packages=packages,
            version=version,
            timeout=timeout,
            lock_timeout=lock_timeout,
            cache_time=cache_time,
            install_weak_deps=recommended,
            allow_erasing=erase_conflicts,
        ),
    )


@operation()
def held(packages: Sequence[str], present: bool = True) -> Commands:
    """
    Hold packages at a version, before they are installed or after; or let them go.

    + packages: names, each at the version installed, or `name=version` for packages that are still to come
    + present: whether they are to be held

    The version is written down at once, so that no other package can bring a wrong one in: dnf's versionlock excludes
    all others, and apt prefers the pinned one above everything. apt keeps holds only of packages that are there:
    `exact` adds those with the installation itself. A hold moves with the version that is asked for here.

    **Example:**

    .. code:: python

        packages.held(name="Hold NCCL", packages=["libnccl2=2.28.3-1+cuda13.0"])
    """
    yield from _by_family(
        lambda: apt_holds.held._inner(packages=packages, present=present),
        lambda: dnf_locks.held._inner(packages=packages, present=present),
    )


@operation()
def removed(
    packages: Sequence[str], purge: bool = True, timeout: int = 900, lock_timeout: int = apt.LOCK_TIMEOUT
) -> Commands:
    """
    Remove packages, holds notwithstanding; what they depended on stays.

    + packages: names
    + purge: remove their configuration too; rpm saves files that were changed, as `.rpmsave`
    + timeout: seconds after which the removal is stopped on the host
    + lock_timeout: seconds to wait for another user of the package manager

    **Example:**

    .. code:: python

        packages.removed(name="Remove NCCL", packages=["libnccl2", "libnccl-dev"])
    """
    yield from _by_family(
        lambda: apt.removed._inner(packages=packages, purge=purge, timeout=timeout, lock_timeout=lock_timeout),
        lambda: dnf.removed._inner(packages=packages, timeout=timeout, lock_timeout=lock_timeout),
    )


@operation()
def refreshed(lock_timeout: int = apt.LOCK_TIMEOUT) -> Commands:
    """
    Read the lists of all repositories again, whatever their age.

    + lock_timeout: seconds to wait for another user of the package manager

    **Example:**

    .. code:: python

        packages.refreshed(name="Read the lists", _if=repository.did_change)
    """
    yield from _by_family(
        lambda: iter([apt_get.update(timeout=apt.UPDATE_TIMEOUT, lock_timeout=lock_timeout)]),
        lambda: iter([dnf_command.makecache(timeout=dnf.REFRESH_TIMEOUT, lock_timeout=lock_timeout)]),
    )


def _by_family(debian: Callable[[], Any], el: Callable[[], Any]) -> Commands:
    family = host.get_fact(OsFamily)
    if family not in (DEBIAN, EL):
        yield failure(
            f"{host.name}: /etc/os-release",
            expected="ID or ID_LIKE to name debian or rhel",
            found="neither",
            cure="manage this host's packages by other means, or leave it out of the inventory",
        )
        return
    yield from debian() if family == DEBIAN else el()
