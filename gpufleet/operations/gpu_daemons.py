"""Daemons that need the driver: started where the right one is loaded, restarted where their files changed."""

from __future__ import annotations

from collections.abc import Callable, Generator

from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host

from gpufleet.facts.boot import RebootRequired
from gpufleet.facts.units import UnitState, UnitStates
from gpufleet.operations.nvidia import REBOOT_KEY

Commands = Generator[StringCommand, None, None]


@operation()
def running(unit: str, changed: Callable[[], bool] = lambda: False) -> Commands:
    """
    Run a daemon of the driver now and at boot: one that is stopped is started, one whose files changed restarted.

    Where the loaded module waits for a reboot, the daemon would refuse the driver: it is enabled only.

    + unit: full unit name
    + changed: whether this run changed what the daemon reads at its start, asked when the operation executes

    **Example:**

    .. code:: python

        gpu_daemons.running(name="Run fabric manager", unit="nvidia-fabricmanager.service", changed=drop_in.did_change)
    """
    state = host.get_fact(UnitStates, units=[unit]).get(unit, UnitState())
    waits = REBOOT_KEY in host.get_fact(RebootRequired)
    touched = host.state.is_executing and changed()
    # Its files are read anew even where nothing can be started yet.
    if touched or state.is_masked:
        yield StringCommand("systemctl", "unmask" if state.is_masked else "daemon-reload", *_named(state, unit))
    if not state.is_enabled or state.is_masked:
        yield StringCommand("systemctl", "enable", QuoteString(unit))
    if waits:
        host.noop(f"{unit} starts with the reboot that the driver waits for")
    elif not state.is_running:
        yield StringCommand("systemctl", "start", QuoteString(unit))
    elif touched:
        yield StringCommand("systemctl", "restart", QuoteString(unit))
    else:
        host.noop(f"{unit} is enabled and running")


@operation()
def stopped(unit: str) -> Commands:
    """
    Stop a daemon, and start it at no boot.

    + unit: full unit name

    **Example:**

    .. code:: python

        gpu_daemons.stopped(name="Stop fabric manager", unit="nvidia-fabricmanager.service")
    """
    state = host.get_fact(UnitStates, units=[unit]).get(unit, UnitState())
    # Want it dead and have it so?
    if not state.is_running and not state.is_enabled:
        host.noop(f"{unit} does not run")
        return
    yield StringCommand("systemctl", "disable", "--now", QuoteString(unit))


def _named(state: UnitState, unit: str) -> list[QuoteString]:
    return [QuoteString(unit)] if state.is_masked else []
