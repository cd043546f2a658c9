"""The guard between other software and the driver: what would bring in or change a driver is refused beforehand."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from pyinfra.api.operation import operation
from pyinfra.context import host

from gpufleet.facts.packages import InstalledVersions
from gpufleet.facts.transactions import InstallChanges
from gpufleet.operations import failure, packages
from gpufleet.stack import driver_guard

Commands = Generator[Any, None, None]


@operation()
def untouched(wanted: Sequence[str]) -> Commands:
    """
    Work out what an installation would do, and refuse it where a driver package would come, change or go.

    Runs before the installation, after the versions were held: it asks for the packages by name.

    + wanted: names of the packages that are to be installed next

    **Example:**

    .. code:: python

        driver_guard.untouched(wanted=["cuda-toolkit-12-9"], name="Keep the toolkit away from the driver")
    """
    missing = [name for name in wanted if name not in host.get_fact(InstalledVersions, packages=sorted(wanted))]
    # Want nothing that is not there?
    if not missing:
        host.noop(f"nothing to install: {', '.join(wanted)}")
        return
    yield from packages.refreshed._inner()
    found: list[driver_guard.Change] = host.get_fact(InstallChanges, packages=list(wanted))
    changes = driver_guard.forbidden(found)
    if changes:
        yield failure(
            f"{host.name}: {', '.join(wanted)}",
            expected="an installation that leaves the driver alone",
            found="; ".join(map(str, changes)),
            cure="choose other packages, or bring the driver to that version by its own role first",
        )
