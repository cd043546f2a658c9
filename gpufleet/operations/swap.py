"""Swap: off, now and at every boot."""

from __future__ import annotations

from collections.abc import Generator

from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host

from gpufleet.facts.swap import FSTAB_ENTRY, SwapState
from gpufleet.operations.lines import MARKER

Commands = Generator[StringCommand, None, None]


@operation()
def off() -> Commands:
    """
    Stop swapping, comment swap entries of /etc/fstab out as whole lines, and mask every swap unit, zram included.

    **Example:**

    .. code:: python

        swap.off(name="Turn swap off, now and at every boot")
    """
    state = host.get_fact(SwapState)
    # Want no swap and have none?
    if not state:
        host.noop("swap is off")
    if state.fstab:
        yield StringCommand("sed", "-E", "-i", QuoteString(f"s/{FSTAB_ENTRY}/{MARKER}&/"), "/etc/fstab")
    if state.units:
        yield StringCommand("systemctl", "mask", "--now", *map(QuoteString, state.units))
    if state.active:
        yield StringCommand("swapoff", "--all")
