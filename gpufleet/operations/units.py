"""systemd units: masked, or enabled and running; and the manager's own settings."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence

from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host

from gpufleet.facts.units import ManagerProperties, UnitState, UnitStates

Commands = Generator[StringCommand, None, None]


@operation()
def masked(units: Sequence[str]) -> Commands:
    """
    Stop units and keep everything from starting them, also those that a later package brings.

    + units: full unit names

    **Example:**

    .. code:: python

        units.masked(units=["apt-daily.timer"], name="Keep apt from upgrading by itself")
    """
    states = _states(units)
    unwanted = [unit for unit in units if not states[unit].is_masked or states[unit].is_running]
    enabled = [unit for unit in unwanted if states[unit].file == "enabled"]
    # Want them all masked and dead, and have it so?
    if not unwanted:
        host.noop(f"units masked: {', '.join(units)}")
    # A link from an enabled unit would outlive the mask and start the unit the day somebody unmasks it.
    if enabled:
        yield StringCommand("systemctl", "disable", "--now", *map(QuoteString, enabled))
    if unwanted:
        yield StringCommand("systemctl", "mask", "--now", *map(QuoteString, unwanted))


@operation()
def running(units: Sequence[str]) -> Commands:
    """
    Start units now and at every boot.

    + units: full unit names

    **Example:**

    .. code:: python

        units.running(units=["chrony.service"], name="Run chrony now and at boot")
    """
    states = _states(units)
    missing = [unit for unit in units if not (states[unit].is_enabled and states[unit].is_running)]
    # Want them all enabled and running, and have it so?
    if not missing:
        host.noop(f"units enabled and running: {', '.join(units)}")
        return
    yield StringCommand("systemctl", "enable", "--now", *map(QuoteString, missing))


@operation()
def manager_reads(properties: Mapping[str, str]) -> Commands:
    """
    Make systemd read its configuration again where it works by other values than these.

    + properties: properties of the manager and their values as `systemctl show` prints them

    **Example:**

    .. code:: python

        units.manager_reads(properties={"DefaultLimitMEMLOCK": "infinity"}, name="Give services the declared limits")
    """
    live = host.get_fact(ManagerProperties, names=list(properties))
    # Want these values and have them?
    if live == dict(properties):
        host.noop("systemd works by the declared values")
        return
    yield StringCommand("systemctl", "daemon-reexec")


def _states(units: Sequence[str]) -> dict[str, UnitState]:
    found = host.get_fact(UnitStates, units=units)
    return {unit: found.get(unit, UnitState()) for unit in units}
