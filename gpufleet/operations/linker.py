"""The dynamic linker's cache."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from pyinfra.api.command import StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host

from gpufleet.facts.linker import StaleLinkerCache

Commands = Generator[StringCommand, None, None]


@operation()
def cache_is_fresh(links: Sequence[str] = ()) -> Commands:
    """
    Make the linker's cache anew where its configuration, or where a folder in it leads to, is younger.

    + links: links on the way to folders of the configuration, such as `/etc/alternatives/cuda`

    **Example:**

    .. code:: python

        linker.cache_is_fresh(links=["/etc/alternatives/cuda"], name="Let the linker see the toolkit")
    """
    # Want a cache younger than everything it was made from, and have it?
    if not host.get_fact(StaleLinkerCache, links=list(links)):
        host.noop("the linker's cache is up to date")
        return
    yield StringCommand("ldconfig")
