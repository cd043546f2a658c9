"""Swap and processor frequency: what makes a host slow without failing."""

from __future__ import annotations

from pyinfra.operations import systemd

from gpufleet.facts.cpu import GOVERNOR_FILES
from gpufleet.operations import cpu, files, swap, units
from roles.base.options import Base

UNIT = "gpufleet-cpu-governor.service"


def turn_swap_off(options: Base) -> None:
    """Turn swap off unless it is to be left alone."""
    if options.swap == "off":
        swap.off(name="Turn swap off, now and at every boot")


def set_cpu_governor(options: Base) -> None:
    """Set the frequency governor now, and by a unit at every boot."""
    governor = options.cpu_governor
    if governor == "untouched":
        return
    path = f"etc/systemd/system/{UNIT}"
    unit = files.rendered(
        path=path, governor=governor, files=GOVERNOR_FILES, name="Write the unit that sets the CPU governor"
    )
    systemd.daemon_reload(_if=unit.did_change, name="Make systemd read the unit of the CPU governor")
    units.running(units=[UNIT], name="Set the CPU governor at every boot")
    cpu.governor(governor=governor, name="Set the CPU governor now")
