"""Holds on apt hosts that come before the packages: a pin at the version, and the hold as soon as dpkg knows them."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from io import StringIO
from typing import Any

from pyinfra.api.operation import operation
from pyinfra.context import host
from pyinfra.operations import files

from gpufleet.facts.apt import HeldPackages, InstalledVersions
from gpufleet.facts.apt_holds import HOLD_PINS, HoldPins
from gpufleet.operations import apt, apt_get, wishes
from gpufleet.stack import versions

Commands = Generator[Any, None, None]


@operation()
def held(packages: Sequence[str], present: bool = True) -> Commands:
    """
    Hold packages and pin those that give a version; or let them go and unpin them.

    + packages: names, each at the version installed, or `name=version`, installed or not
    + present: whether they are to be held

    **Example:**

    .. code:: python

        apt_holds.held(name="Hold NCCL", packages=["libnccl2=2.28.3-1+cuda13.0"])
    """
    wanted = wishes.split(packages)
    yield from _held(wanted) if present else _released(wanted)


def _held(wanted: Mapping[str, str | None]) -> Commands:
    installed = host.get_fact(InstalledVersions, packages=sorted(wanted))
    pins = host.get_fact(HoldPins)
    unpinned = _unpinned(wanted, pins)
    unknown = [name for name, version in wanted.items() if not version and name not in installed]
    if unknown:
        yield wishes.nothing_to_hold(unknown)
        return
    if unpinned:
        chosen, missing = wishes.choose(unpinned)
        if missing:
            yield apt_get.update(timeout=apt.UPDATE_TIMEOUT, lock_timeout=apt.LOCK_TIMEOUT)
            chosen, missing = wishes.choose(unpinned)
        if missing:
            yield wishes.not_to_be_had(missing)
            return
        yield from _write({**pins, **{name: version for name, version in chosen.items() if version}})
    held = host.get_fact(HeldPackages)
    free = [name for name in wanted if name in installed and name not in held]
    if free:
        yield from apt.hold._inner(packages=free)
    # Want them pinned and held and have it so?
    if not unpinned and not free:
        host.noop(f"packages held: {', '.join(wanted)}")


def _unpinned(wanted: Mapping[str, str | None], pins: Mapping[str, str]) -> dict[str, str | None]:
    """Return the packages with a version that is not the pinned one."""
    return {
        name: version
        for name, version in wanted.items()
        if version and not (name in pins and versions.matches(version, pins[name]))
    }


def _released(wanted: Mapping[str, str | None]) -> Commands:
    pins, known = host.get_fact(HoldPins), host.get_fact(HeldPackages)
    pinned = [name for name in wanted if name in pins]
    held = [name for name in wanted if name in known]
    # Want them free and have it so?
    if not pinned and not held:
        host.noop(f"packages not held: {', '.join(wanted)}")
    if pinned:
        yield from _write({name: version for name, version in pins.items() if name not in wanted})
    if held:
        yield from apt.hold._inner(packages=held, present=False)


def _write(pins: Mapping[str, str]) -> Commands:
    if not pins:
        yield from files.file._inner(path=HOLD_PINS, present=False)
        return
    stanzas = [
        f"Package: {name}\nPin: version {version}\nPin-Priority: 1001\n" for name, version in sorted(pins.items())
    ]
    text = "Explanation: Managed by gpufleet; do not edit\n" + "\n".join(stanzas)
    yield from files.put._inner(src=StringIO(text), dest=HOLD_PINS, mode="644", user="root", group="root")
