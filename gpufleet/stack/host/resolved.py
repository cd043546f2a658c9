"""The stack chosen for a host: the wishes of its roles and of its inventory, its hardware, and the matrix, together.

Roles take package names and versions from here: `resolution(host).of("dcgm")`. No role need know another one. A role
whose key is not in a host's data wants nothing there.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from weakref import WeakKeyDictionary

from pyinfra.api.host import Host

from gpufleet.facts.kernel import RunningKernel
from gpufleet.facts.machine import HostMachine, Machine
from gpufleet.options import HasData
from gpufleet.stack.declared import DeclaredMachine
from gpufleet.stack.host import mirrors, overlay
from gpufleet.stack.host.judging import decide, misplaced
from gpufleet.stack.host.wishes import wishes
from gpufleet.stack.resolution import Resolution
from gpufleet.stack.verdicts import Verdict
from gpufleet.stack.wanted import StackData

_MACHINES: WeakKeyDictionary[Host, HostMachine] = WeakKeyDictionary()


def resolution(host: Host) -> Resolution:
    """Return what was decided for a host at deploy time; errors in it say why nothing is to be installed.

    The host is asked once, by one command, for all roles together. Raises GpufleetError for a broken overlay, which
    is a fault of the request rather than of one host.
    """
    return resolved(host, machine(host), overlay.folder())


def machine(host: Host) -> HostMachine:
    """Return what the host says of itself: asked once; while operations run, the kernel each time, as it may change."""
    known = _MACHINES.get(host)
    if known is None:
        known = _MACHINES[host] = host.get_fact(Machine)
    elif host.state.is_executing:
        known = replace(known, hardware=replace(known.hardware, kernel=host.get_fact(RunningKernel)))
    return known


def resolved(host: HasData, found: HostMachine, folder: Path) -> Resolution:
    """Return what was decided for a host that says this of itself, with the overlay of the inventory in this folder.

    Checks on hosts use it with the record that they have of the host (`InventoryHost.folder`). What the inventory
    declares of the machine and the host denies is an error of the resolution.
    """
    declared, stack = DeclaredMachine.of(host), StackData.of(host)
    own = overlay.find(folder, stack.overlay)
    wish, differences = wishes(host), (*declared.differences(found), *misplaced(stack.repositories, own))
    if isinstance(wish, Verdict):
        return Resolution(verdicts=(*differences, wish))
    chosen = decide(wish, declared.completed(found), own)
    if differences:
        return Resolution(verdicts=(*differences, *chosen.verdicts))
    return mirrors.placed(chosen, stack.repositories)
