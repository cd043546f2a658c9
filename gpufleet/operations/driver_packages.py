"""Packages of the NVIDIA driver: everything of one source at one version, held, or purged."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from pyinfra.api.command import StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host

from gpufleet.facts.apt import AvailableVersions, HeldPackages, InstalledFromSource, InstalledVersions
from gpufleet.operations import apt, apt_get, failure
from gpufleet.stack.versions import newest_match

Commands = Generator[Any, None, None]


@operation()
def exact(
    packages: Sequence[str], source: str, version: str, without: Sequence[str] = (), timeout: int = 2400
) -> Commands:
    """
    Bring packages, and all others installed from the same source, to one exact version.

    + packages: names that must be there
    + source: source package whose other installed packages go along
    + version: upstream version, or a full package version
    + without: packages of the source that stay behind
    + timeout: seconds after which the installation is stopped on the host

    **Example:**

    .. code:: python

        driver_packages.exact(["nvidia-smi"], source="nvidia-graphics-drivers", version="535.261.03", name="...")
    """
    installed = host.get_fact(InstalledFromSource, source=source)
    siblings = set(installed) - set(without)
    everything = sorted({*packages, *(siblings - {package.partition("=")[0] for package in packages})})
    first, _, own_version = packages[0].partition("=")
    if host.state.is_executing and not _to_be_had(first, own_version or version):
        # The lists may be older than the version, or than the components they are of.
        yield apt_get.update(timeout=apt.UPDATE_TIMEOUT, lock_timeout=apt.LOCK_TIMEOUT)
        if not _to_be_had(first, own_version or version):
            yield _no_such_version(first, own_version or version)
            return
    # Who holds the lock may be this very installation, cut off from its controller: it gets the time to end.
    yield from apt.exact._inner(packages=everything, version=version, timeout=timeout, lock_timeout=timeout)


@operation()
def daemon(package: str, timeout: int = 2400) -> Commands:
    """
    Install a daemon of the driver where it is missing, in the version that apt prefers.

    + package: name
    + timeout: seconds after which the installation is stopped on the host

    **Example:**

    .. code:: python

        driver_packages.daemon(name="Install the persistence daemon", package="nvidia-persistenced")
    """
    installed = host.get_fact(InstalledVersions, packages=[package])
    # Want it and have it, in whatever version?
    if package in installed:
        host.noop(f"package {package} is installed ({installed[package]})")
        return
    yield from apt.exact._inner(packages=[package], timeout=timeout)


@operation()
def held(packages: Sequence[str], sources: Sequence[str]) -> Commands:
    """
    Hold packages and everything installed from these sources.

    + packages: names to hold in any case
    + sources: source packages

    **Example:**

    .. code:: python

        driver_packages.held(["nvidia-persistenced"], sources=["nvidia-graphics-drivers"], name="Hold the driver")
    """
    siblings = {name for source in sources for name in host.get_fact(InstalledFromSource, source=source)}
    yield from apt.hold._inner(packages=sorted({*packages, *siblings}))


@operation()
def removed(packages: Sequence[str], sources: Sequence[str]) -> Commands:
    """
    Purge packages and everything installed from these sources, and take them off hold.

    + packages: names to purge in any case
    + sources: source packages

    **Example:**

    .. code:: python

        driver_packages.removed(["nvidia-persistenced"], sources=["nvidia-graphics-drivers"], name="Purge the driver")
    """
    siblings = {name for source in sources for name in host.get_fact(InstalledFromSource, source=source)}
    everything = sorted({*packages, *siblings})
    let_go = sorted(host.get_fact(HeldPackages) & set(everything))
    if let_go:
        yield from apt.hold._inner(packages=let_go, present=False)
    yield from apt.removed._inner(packages=everything, purge=True)


def _to_be_had(package: str, version: str) -> bool:
    installed = host.get_fact(InstalledVersions, packages=[package])
    if newest_match(version, installed.values()):
        return True
    offered = host.get_fact(AvailableVersions, package=package)
    return newest_match(version, offered) is not None


def _no_such_version(package: str, version: str) -> StringCommand:
    offered = host.get_fact(AvailableVersions, package=package)
    return failure(
        f"{host.name}: {package}",
        expected=f"version {version} in an apt repository",
        found=f"only {' and '.join(offered)}" if offered else "no version at all",
        cure="ask for one that is there, or switch on the repository that has it",
    )
