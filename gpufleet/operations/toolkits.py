"""CUDA toolkits from NVIDIA's repositories: all packages of one held, or removed."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host

from gpufleet.facts.packages import InstalledVersions
from gpufleet.operations import packages
from gpufleet.stack import driver_guard
from gpufleet.stack.toolkits import belongs, folder, leftovers, patterns

Commands = Generator[Any, None, None]


@operation()
def held(toolkits: Sequence[str]) -> Commands:
    """
    Hold everything that toolkits consist of at the versions installed: their own packages ask only for a minimum.

    + toolkits: versions such as `12.9`

    **Example:**

    .. code:: python

        toolkits.held(toolkits=["12.9", "13.0"], name="Hold all packages of the toolkits")
    """
    names = _installed(toolkits)
    # Want nothing held that is there?
    if not names:
        host.noop(f"no packages of CUDA {' and '.join(toolkits)}")
        return
    yield from packages.held._inner(packages=names)


@operation()
def driver_libraries_held() -> Commands:
    """
    Hold the driver's libraries that a distribution's toolkit depends on, at the version installed.

    **Example:**

    .. code:: python

        toolkits.driver_libraries_held(name="Hold the driver's libraries that came along")
    """
    names = [name for name in host.get_fact(InstalledVersions) if driver_guard.is_userspace(name)]
    # Want them held and have none?
    if not names:
        host.noop("no libraries of a driver are installed")
        return
    yield from packages.held._inner(packages=sorted(names))


@operation()
def removed(toolkits: Sequence[str], timeout: int = 900) -> Commands:
    """
    Remove toolkits whole, holds notwithstanding, and what only they shared.

    + toolkits: versions such as `12.4`
    + timeout: seconds after which the removal is stopped on the host

    **Example:**

    .. code:: python

        toolkits.removed(toolkits=["12.4"], name="Remove toolkits no longer wanted")
    """
    names = _installed(toolkits)
    # Want them gone and have none of them?
    if not names:
        host.noop(f"not installed: CUDA {' and '.join(toolkits) or 'toolkits no longer wanted'}")
        return
    shared = host.get_fact(InstalledVersions, packages=["cuda-toolkit-*config-common"])
    everything = [*names, *leftovers(names, shared)]
    yield from packages.held._inner(packages=everything, present=False)
    yield from packages.removed._inner(packages=everything, timeout=timeout)
    # rpm leaves folders that no package owns, and links into them; what anybody put there stays.
    places = StringCommand(*map(QuoteString, map(folder, toolkits)))
    yield StringCommand("find", places, "-depth", r"\( -xtype l -o -type d -empty \) -delete 2>/dev/null || true")


def _installed(toolkits: Sequence[str]) -> list[str]:
    if not toolkits:
        return []
    found = host.get_fact(InstalledVersions, packages=patterns(toolkits))
    return sorted(name for name in found if belongs(name, toolkits))
