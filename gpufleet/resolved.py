"""The stack chosen for a host: the wishes of its roles and of its inventory, its hardware, and the matrix, together.

Roles take package names and versions from here: `resolution(host).of("dcgm")`. No role need know another one. A role
whose key is not in a host's data wants nothing there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from pydantic import ValidationError
from pyinfra.api.host import Host

from gpufleet import overlay, roles
from gpufleet.facts.kernel import RunningKernel
from gpufleet.facts.machine import HostMachine, Machine
from gpufleet.options import HasData
from gpufleet.stack.declared import DeclaredMachine
from gpufleet.stack.resolution import Resolution
from gpufleet.stack.verdicts import Verdict
from gpufleet.stack.wanted import StackData
from gpufleet.stack.wish import Wish

_MACHINES: WeakKeyDictionary[Host, HostMachine] = WeakKeyDictionary()


def resolution(host: Host) -> Resolution:
    """Return what was decided for a host at deploy time; errors in it say why nothing is to be installed.

    The host is asked once, by one command, for all roles together. Raises GpufleetError for a broken overlay, which
    is a fault of the request rather than of one host.
    """
    return resolved(host, machine(host))


def machine(host: Host) -> HostMachine:
    """Return what the host says of itself: asked once; while operations run, the kernel each time, as it may change."""
    known = _MACHINES.get(host)
    if known is None:
        known = _MACHINES[host] = host.get_fact(Machine)
    elif host.state.is_executing:
        known = replace(known, hardware=replace(known.hardware, kernel=host.get_fact(RunningKernel)))
    return known


def resolved(host: HasData, found: HostMachine) -> Resolution:
    """Return what was decided for a host of an inventory that says this of itself; checks on hosts use it too.

    What the inventory declares of the machine and the host denies is an error of the resolution.
    """
    declared, stack = DeclaredMachine.of(host), StackData.of(host)
    own = overlay.find(overlay.folder(), stack.overlay)
    chosen = decided(wishes(host), declared.completed(found), own)
    return replace(chosen, verdicts=(*declared.differences(found), *chosen.verdicts))


def wishes(host: HasData) -> Wish | Verdict:
    """Return what the roles of a host and the key `stack` want together, or that two of them contradict each other."""
    known: Mapping[str, type[Any]] = {**roles.discover(), StackData.key: StackData}
    parts = {name: _said(options.of(host).wish()) for name, options in known.items() if name in host.data}
    try:
        return Wish.merged(parts)
    except ValidationError:
        raise  # a role's own mistake: its options let a value pass that no wish can have
    except ValueError as error:
        field, _, found = str(error).partition(": ")
        return Verdict("error", field, "one value", found, "say it in one place", f"stack.{field}", "inventory")


def decided(wish: Wish | Verdict, found: HostMachine, own: Path | None) -> Resolution:
    """Return the resolution of a wish on a machine with this overlay; equal questions share an answer."""
    return Resolution(verdicts=(wish,)) if isinstance(wish, Verdict) else _resolve(wish, found, own)


@cache  # the hosts of a fleet are of a few kinds
def _resolve(wish: Wish, found: HostMachine, own: Path | None) -> Resolution:
    matrix = _matrix(own)
    answer: Resolution = import_module("gpufleet.stack.resolve").resolve(found.hardware, found.system, wish, matrix)
    return answer


@cache
def _matrix(own: Path | None) -> Any:
    return import_module("gpufleet.stack.matrix").load(own)


def _said(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what a role has no opinion about, so that another place may have one."""
    return {name: value for name, value in fields.items() if value is not None}
