"""Packages fetched before those go that they replace, so that what cannot be had takes nothing from a host."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from pyinfra.context import host

from gpufleet.facts.family import EL, OsFamily
from gpufleet.facts.packages import AvailableVersions
from gpufleet.operations import apt, apt_get, dnf, dnf_command, wishes

#: Seconds after which the lists of packages count as stale.
CACHE_TIME = 3600


def fetched(packages: Sequence[str], instead_of: Sequence[str], timeout: int) -> Generator[Any, None, bool]:
    """Fetch packages, `name=version` or a name alone each, with what they need; return whether they are on offer.

    + instead_of: installed packages that are to go for these to come
    + timeout: seconds after which it is stopped on the host
    """
    wanted, is_el = wishes.split(packages), host.get_fact(OsFamily) == EL
    yield _lists(is_el, CACHE_TIME)
    chosen, missing = wishes.choose(wanted, AvailableVersions)
    if missing:
        # The lists may be fresh by the clock and still older than the version asked for.
        yield _lists(is_el, 0)
        chosen, missing = wishes.choose(wanted, AvailableVersions)
    if missing:
        yield wishes.not_to_be_had(missing, "a dnf repository" if is_el else "an apt repository")
        return False
    specs = [f"{name}{'-' if is_el else '='}{version}" if version else name for name, version in chosen.items()]
    if is_el:
        yield dnf_command.fetch(specs, timeout, dnf.LOCK_TIMEOUT)
    else:
        yield apt_get.fetch(specs, instead_of, timeout, apt.LOCK_TIMEOUT)
    return True


def _lists(is_el: bool, cache_time: int) -> Any:
    if is_el:
        return dnf_command.makecache(dnf.REFRESH_TIMEOUT, dnf.LOCK_TIMEOUT, cache_time)
    return apt_get.update(apt.UPDATE_TIMEOUT, apt.LOCK_TIMEOUT, cache_time)
