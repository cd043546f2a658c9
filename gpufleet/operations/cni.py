"""Plugins of the container network interface: the distribution's own, where containerd looks for them."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host

from gpufleet.facts.cni import DIRECTORY, UnlinkedPlugins

Commands = Generator[Any, None, None]


@operation()
def linked() -> Commands:
    """
    Have the distribution's network plugins where containerd and the cluster's network look: links in /opt/cni/bin.

    What another package or the cluster's network put there stays.

    **Example:**

    .. code:: python

        cni.linked(name="Link the network plugins")
    """
    missing: list[str] = host.get_fact(UnlinkedPlugins)
    # Want all of them there and have them?
    if not list(missing):
        host.noop(f"the network plugins are in {DIRECTORY}")
        return
    yield StringCommand("mkdir", "-p", DIRECTORY)
    yield StringCommand("ln", "-sf", *map(QuoteString, missing), DIRECTORY)
