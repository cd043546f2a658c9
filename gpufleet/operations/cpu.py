"""Processors: the frequency governor."""

from __future__ import annotations

from collections.abc import Generator

from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host

from gpufleet.facts.cpu import GOVERNOR_FILES, CpuGovernors

Commands = Generator[StringCommand, None, None]


@operation()
def governor(governor: str) -> Commands:
    """
    Run every processor under one frequency governor until the next boot.

    + governor: name as `scaling_available_governors` lists it

    **Example:**

    .. code:: python

        cpu.governor(governor="performance", name="Run the processors at full clock")
    """
    live = host.get_fact(CpuGovernors)
    # Want the governor where there is none to choose?
    if not live:
        host.noop("no cpufreq on this host: firmware or hypervisor sets the clock")
        return
    # Want this governor and have it?
    if set(live) == {governor}:
        host.noop(f"processors run under {governor}")
        return
    yield StringCommand("echo", QuoteString(governor), "|", "tee", GOVERNOR_FILES, ">", "/dev/null")
