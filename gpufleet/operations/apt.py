"""apt as a fleet needs it: holds, pins, components, and exact versions that do not wait for ever."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from io import StringIO
from typing import Any

from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host
from pyinfra.operations import files

from gpufleet.facts import sources
from gpufleet.facts.apt import HeldPackages, InstalledVersions, PackageStates, PinnedVersions
from gpufleet.facts.sources import SourcesFiles
from gpufleet.operations import apt_get, failure, wishes
from gpufleet.stack import versions

Commands = Generator[Any, None, None]

#: Seconds for reading all package lists.
UPDATE_TIMEOUT = 600
#: Seconds to wait for another user of apt or dpkg.
LOCK_TIMEOUT = 300


@operation()
def hold(packages: Sequence[str], present: bool = True) -> Commands:
    """
    Hold packages at their version, or let them go.

    + packages: names
    + present: whether they are to be on hold

    **Example:**

    .. code:: python

        apt.hold(name="Hold the kernel and its headers", packages=["linux-image-amd64", "linux-headers-amd64"])
    """
    held = host.get_fact(HeldPackages)
    wrong = [package for package in packages if (package in held) != present]
    # Want them so and have them so?
    if not wrong:
        host.noop(f"packages {'held' if present else 'not held'}: {', '.join(packages)}")
        return
    yield StringCommand("apt-mark", "hold" if present else "unhold", *map(QuoteString, wrong))


@operation()
def pin(preference: str, package: str, version: str, priority: int = 1001, present: bool = True) -> Commands:
    """
    Tell apt which version of a package it prefers: `/etc/apt/preferences.d/<preference>.pref`.

    + preference: name of the file
    + package: package name, several names, or `src:` and a source package
    + version: version as apt's preferences take it; a short one, `535.216.03`, means any revision of it
    + priority: above 1000 apt also downgrades
    + present: whether the pin is to be there

    **Example:**

    .. code:: python

        apt.pin(
            name="Pin the driver",
            preference="nvidia-driver",
            package="src:nvidia-graphics-drivers",
            version="535.216.03",
        )
    """
    path = f"/etc/apt/preferences.d/{preference}.pref"
    if not present:
        yield from files.file._inner(path=path, present=False)
        return
    text = (
        "Explanation: Managed by gpufleet; do not edit\n"
        f"Package: {package}\nPin: version {versions.pin_pattern(version)}\nPin-Priority: {priority}\n"
    )
    yield from files.put._inner(src=StringIO(text), dest=path, mode="644", user="root", group="root")


@operation()
def components(components: Sequence[str]) -> Commands:
    """
    Switch on components of the Debian archive in the sources the host has, and read the lists again.

    + components: names, such as `contrib` and `non-free`

    **Example:**

    .. code:: python

        apt.components(name="Switch on the non-free components", components=["contrib", "non-free"])
    """
    texts = dict(host.get_fact(SourcesFiles).items())
    wanted = {path: sources.with_components(path, text, components) for path, text in texts.items()}
    changed = {path: text for path, text in wanted.items() if text != texts[path]}
    # Want components and have no archive that could offer them?
    if not any(sources.components(path, text) for path, text in texts.items()):
        yield failure(
            host.name,
            expected="an entry of the Debian archive in apt's sources",
            found=f"none in {', '.join(sorted(texts)) or '/etc/apt/sources.list and /etc/apt/sources.list.d'}",
            cure="add one to /etc/apt/sources.list.d/debian.sources",
        )
    # Want them and have them?
    elif not changed:
        host.noop(f"components switched on: {', '.join(components)}")
    for path, text in changed.items():
        yield from files.put._inner(src=StringIO(text), dest=path, mode="644", user="root", group="root")
    if changed:
        yield apt_get.update(timeout=UPDATE_TIMEOUT, lock_timeout=LOCK_TIMEOUT)


@operation()
def exact(
    packages: Sequence[str],
    version: str | None = None,
    timeout: int = 1800,
    lock_timeout: int = LOCK_TIMEOUT,
    cache_time: int = 3600,
    recommended: bool = False,
) -> Commands:
    """
    Install packages at exact versions, upwards or downwards, holds notwithstanding.

    + packages: names, or `name=version` for a version of its own
    + version: version of the packages that give none; without it, the pinned one, and any where there is no pin
    + timeout: seconds after which the installation is stopped on the host
    + lock_timeout: seconds to wait for another user of apt or dpkg
    + cache_time: seconds after which the package lists count as stale
    + recommended: install what the packages only recommend too

    A short version, `535.261.03`, means the newest Debian version of that upstream version.

    **Example:**

    .. code:: python

        apt.exact(
            name="Install the driver",
            packages=["nvidia-kernel-dkms", "nvidia-smi"],
            version="535.261.03",
        )
    """
    wanted = wishes.split(packages, version)
    installed = host.get_fact(InstalledVersions, packages=sorted(wanted))
    unmet = wishes.unmet(wanted, installed, _pinned(wanted, installed))
    # Want these versions and have them?
    if not unmet:
        host.noop(wishes.noop_text(wanted, installed))
        return
    # Versions are named again even where they are right, so that apt does not move them for the others' sake.
    wanted = {name: own for name, own in wanted.items() if own or name in unmet}
    yield apt_get.update(timeout=UPDATE_TIMEOUT, lock_timeout=lock_timeout, cache_time=cache_time)
    chosen, missing = wishes.choose(wanted)
    if missing:
        # The lists may be fresh by the clock and still older than the version asked for.
        yield apt_get.update(timeout=UPDATE_TIMEOUT, lock_timeout=lock_timeout)
        chosen, missing = wishes.choose(wanted)
    specs = [f"{name}={match}" if match else name for name, match in chosen.items()]
    install = apt_get.install(specs, timeout, lock_timeout, recommended)
    yield wishes.not_to_be_had(missing) if missing else install


@operation()
def removed(
    packages: Sequence[str], purge: bool = False, timeout: int = 900, lock_timeout: int = LOCK_TIMEOUT
) -> Commands:
    """
    Remove packages, holds notwithstanding.

    + packages: names
    + purge: remove their configuration files too, also those left by an earlier removal
    + timeout: seconds after which the removal is stopped on the host
    + lock_timeout: seconds to wait for another user of apt or dpkg

    **Example:**

    .. code:: python

        apt.removed(name="Remove the driver", packages=["nvidia-kernel-dkms", "nvidia-smi"], purge=True)
    """
    gone = {"not-installed"} if purge else {"not-installed", "config-files"}
    states = host.get_fact(PackageStates, packages=sorted(packages))
    unwanted = [name for name in packages if states.get(name, "not-installed") not in gone]
    # Want none of them and have none?
    if not unwanted:
        host.noop(f"not installed: {', '.join(packages)}")
        return
    yield apt_get.remove(unwanted, purge, timeout, lock_timeout)


def _pinned(wanted: Mapping[str, str | None], installed: Mapping[str, str]) -> dict[str, str]:
    """Return the versions that pins demand of installed packages for which none is wanted."""
    free = sorted(name for name, version in wanted.items() if version is None and name in installed)
    return host.get_fact(PinnedVersions, packages=free) if free else {}
