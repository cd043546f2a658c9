"""dnf as a fleet needs it: exact versions, module streams, and no waiting for ever."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any

from pyinfra.api.operation import operation
from pyinfra.context import host

from gpufleet.facts.dnf import AvailableVersions, LockedVersions, ModuleStreams
from gpufleet.facts.rpm import InstalledVersions
from gpufleet.operations import dnf_command, dnf_locks, wishes

Commands = Generator[Any, None, None]

#: Seconds for reading the metadata of all repositories.
REFRESH_TIMEOUT = 600
#: Seconds to wait for another user of dnf or rpm.
LOCK_TIMEOUT = 300


@operation()
def exact(
    packages: Sequence[str],
    version: str | None = None,
    timeout: int = 1800,
    lock_timeout: int = LOCK_TIMEOUT,
    cache_time: int = 3600,
    install_weak_deps: bool = False,
    allow_erasing: bool = False,
) -> Commands:
    """
    Install packages at exact versions, upwards or downwards; a lock on one of them moves along.

    + packages: names, or `name=version` for a version of its own
    + version: version of the packages that give none; without it, the locked one, and any where there is no lock
    + timeout: seconds after which the installation is stopped on the host
    + lock_timeout: seconds to wait for another user of dnf or rpm
    + cache_time: seconds after which the metadata count as stale
    + install_weak_deps: install what the packages only recommend
    + allow_erasing: remove installed packages that stand in the way

    A short version, `580.95.05`, means the newest release of that upstream version, whatever its epoch.

    **Example:**

    .. code:: python

        dnf.exact(name="Install the driver", packages=["nvidia-driver-cuda"], version="580.95.05")
    """
    locks = host.get_fact(LockedVersions)
    wanted = {name: own or locks.get(name) for name, own in wishes.split(packages, version).items()}
    installed = host.get_fact(InstalledVersions, packages=sorted(wanted))
    unmet = wishes.unmet(wanted, installed, pinned={})
    # Want these versions and have them?
    if not unmet:
        host.noop(wishes.noop_text(wanted, installed))
        return
    # Versions are named again even where they are right, so that dnf does not move them for the others' sake.
    wanted = {name: own for name, own in wanted.items() if own or name in unmet}
    yield dnf_command.makecache(timeout=REFRESH_TIMEOUT, lock_timeout=lock_timeout, cache_time=cache_time)
    chosen, missing = wishes.choose(wanted, AvailableVersions)
    if missing:
        # The metadata may be fresh by the clock and still older than the version asked for.
        yield dnf_command.makecache(timeout=REFRESH_TIMEOUT, lock_timeout=lock_timeout)
        chosen, missing = wishes.choose(wanted, AvailableVersions)
    if missing:
        yield wishes.not_to_be_had(missing, "a dnf repository")
        return
    yield from dnf_locks.moved(chosen, locks)
    yield dnf_command.install(_specs(chosen), timeout, lock_timeout, weak=install_weak_deps, erasing=allow_erasing)


@operation()
def removed(packages: Sequence[str], timeout: int = 900, lock_timeout: int = LOCK_TIMEOUT) -> Commands:
    """
    Remove packages, locks notwithstanding; what they depended on stays.

    + packages: names
    + timeout: seconds after which the removal is stopped on the host
    + lock_timeout: seconds to wait for another user of dnf or rpm

    **Example:**

    .. code:: python

        dnf.removed(name="Remove the driver", packages=["nvidia-driver-cuda"])
    """
    installed = host.get_fact(InstalledVersions, packages=sorted(packages))
    unwanted = [name for name in packages if name in installed]
    # Want none of them and have none?
    if not unwanted:
        host.noop(f"not installed: {', '.join(packages)}")
        return
    yield dnf_command.remove(unwanted, timeout, lock_timeout)


@operation()
def module(
    module: str,
    stream: str,
    present: bool = True,
    timeout: int = 1800,
    lock_timeout: int = LOCK_TIMEOUT,
) -> Commands:
    """
    Enable one stream of a module, which hides the packages of all its other streams; or none.

    + module: name of the module
    + stream: name of the stream
    + present: whether the stream is to be enabled
    + timeout: seconds after which dnf is stopped on the host
    + lock_timeout: seconds to wait for another user of dnf or rpm

    **Example:**

    .. code:: python

        dnf.module(name="Choose the driver's branch", module="nvidia-driver", stream="580-open")
    """
    enabled = host.get_fact(ModuleStreams).get(module)
    # Want this stream and have it, or want none and have none?
    if (enabled == stream) if present else (enabled is None):
        host.noop(f"module {module} has {f'stream {stream}' if present else 'no stream'} enabled")
        return
    if enabled:
        yield dnf_command.dnf(["module", "reset", module], timeout, lock_timeout)
    if present:
        yield dnf_command.dnf(["module", "enable", f"{module}:{stream}"], timeout, lock_timeout)


def _specs(chosen: Mapping[str, str | None]) -> list[str]:
    return [f"{name}-{version}" if version else name for name, version in chosen.items()]
