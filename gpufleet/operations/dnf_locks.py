"""Versions that dnf may not leave: entries of its versionlock plugin, written before the packages are there."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from io import StringIO
from typing import Any

from pyinfra.api.operation import operation
from pyinfra.context import host
from pyinfra.operations import files

from gpufleet.facts.dnf import LOCK_LIST, AvailableVersions, LockedVersions, Locks, locked
from gpufleet.facts.rpm import InstalledVersions
from gpufleet.operations import dnf_command, wishes
from gpufleet.stack import versions

Commands = Generator[Any, None, None]

#: The package that makes dnf read the list.
PLUGIN = "python3-dnf-plugin-versionlock"
#: Seconds for reading metadata or installing the plugin, and for others' locks.
TIMEOUT, LOCK_TIMEOUT = 600, 300


@operation()
def held(packages: Sequence[str], present: bool = True) -> Commands:
    """
    Lock packages to one exact version, so that dnf sees no other; or unlock them.

    + packages: names, each at the version installed, or `name=version`, installed or not
    + present: whether they are to be locked

    **Example:**

    .. code:: python

        dnf_locks.held(name="Lock the driver", packages=["nvidia-driver-cuda=580.95.05"])
    """
    wanted, locks = wishes.split(packages), host.get_fact(LockedVersions)
    if not present:
        names = [name for name in wanted if name in locks]
        if not names:
            host.noop(f"not locked: {', '.join(wanted)}")
            return
        yield from _write(names, {})
        return
    installed = host.get_fact(InstalledVersions, packages=sorted({*wanted, PLUGIN}))
    wrong = _wrong(wanted, installed, locks)
    # Want these locks and have them, and a dnf that reads them?
    if not wrong and PLUGIN in installed:
        host.noop(f"locked: {', '.join(f'{name} {locks[name]}' for name in sorted(wanted))}")
        return
    if PLUGIN not in installed:
        yield dnf_command.install([PLUGIN], TIMEOUT, LOCK_TIMEOUT)
    if wrong:
        yield from _lock(wrong, installed)


def moved(chosen: Mapping[str, str | None], locks: Mapping[str, str]) -> Commands:
    """Bring locks of packages that are about to be installed to the version they will have."""
    moves = {name: version for name, version in chosen.items() if version and locks.get(name, version) != version}
    if moves:
        yield from _write(list(moves), moves)


def _wrong(
    wanted: Mapping[str, str | None], installed: Mapping[str, str], locks: Mapping[str, str]
) -> dict[str, str | None]:
    """Return the packages that are not locked to the wished version, or else the installed one."""
    return {
        name: version
        for name, version in wanted.items()
        if name not in locks or not versions.matches(version or installed.get(name, locks[name]), locks[name])
    }


def _lock(wrong: Mapping[str, str | None], installed: Mapping[str, str]) -> Commands:
    absent = [name for name, version in wrong.items() if not version and name not in installed]
    if absent:
        yield wishes.nothing_to_hold(absent)
        return
    here = {name: installed[name] for name, version in wrong.items() if _fits(version, installed.get(name))}
    chosen, missing = wishes.choose(_without(wrong, here), AvailableVersions)
    if missing:
        yield dnf_command.makecache(TIMEOUT, LOCK_TIMEOUT)
        chosen, missing = wishes.choose(_without(wrong, here), AvailableVersions)
    if missing:
        yield wishes.not_to_be_had(missing, "a dnf repository")
        return
    exact = {**here, **{name: version for name, version in chosen.items() if version}}
    yield from _write(list(exact), exact)


def _fits(version: str | None, found: str | None) -> bool:
    return found is not None and versions.matches(version or found, found)


def _without(wanted: Mapping[str, str | None], here: Mapping[str, str]) -> dict[str, str | None]:
    return {name: version for name, version in wanted.items() if name not in here}


def _write(names: Sequence[str], entries: Mapping[str, str]) -> Commands:
    """Replace the entries of these packages; what others wrote into the list stays."""
    lines = host.get_fact(Locks)
    kept = [line for line in lines if (entry := locked(line)) is None or entry[0] not in names]
    new = [f"{name}-{version if ':' in version else f'0:{version}'}.*" for name, version in sorted(entries.items())]
    text = "".join(f"{line}\n" for line in [*kept, *new])
    yield from files.put._inner(src=StringIO(text), dest=LOCK_LIST, mode="644", user="root", group="root")
