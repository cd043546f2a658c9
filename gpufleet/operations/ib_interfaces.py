"""IPoIB interfaces: told to the network manager and put in force, without touching any other interface."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from io import StringIO
from typing import Any

from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host
from pyinfra.operations import files

from gpufleet.facts.ib_interfaces import IbInterfaces
from gpufleet.facts.network import NeededInterfaces, OwnNetworkFiles
from gpufleet.network import managers
from gpufleet.network.files import File
from gpufleet.network.links import IbInterface, Link, differing, in_use, resolved, unwanted_children
from gpufleet.operations import failure
from gpufleet.operations.files import render

Commands = Generator[Any, None, None]


@operation()
def configured(links: Sequence[Link], manager: managers.Name) -> Commands:
    """
    Have exactly these IPoIB links below the interfaces that they name: files first, then what differs on the host.

    A link that carries the default route or this SSH session is refused, and nothing is written. Files that were
    written from here for other links or for another manager go.

    + links: wanted links, named by interface or by RDMA device
    + manager: which network manager is told

    **Example:**

    .. code:: python

        links = [Link("ib0", addresses=("10.30.0.7/16",))]
        ib_interfaces.configured(name="Configure IPoIB", links=links, manager="netplan")
    """
    found = host.get_fact(IbInterfaces)
    wanted, unknown = resolved(links, found)
    refusal = _refusal(wanted, unknown, found)
    if refusal is not None:
        yield refusal
        return
    told = managers.TABLE[manager]
    yield from _written(told.files(wanted))
    children = unwanted_children(wanted, found)
    for item in children:
        yield StringCommand(managers.delete(item.parent, item.name, item.key))
    different = differing(wanted, found)
    # Want these links and have them?
    if not different and not children:
        host.noop(f"IPoIB is as declared: {', '.join(link.name for link in wanted) or 'no interface'}")
    if different:
        yield from (StringCommand(command) for command in told.apply(wanted))


def _written(wanted: Sequence[File]) -> Commands:
    for file in wanted:
        text = StringIO(render(file.template, **file.context))
        yield from files.put._inner(src=text, dest=file.path, mode=file.mode, user="root", group="root")
    paths = [file.path for file in wanted]
    stale = [path for path in host.get_fact(OwnNetworkFiles, places=managers.PLACES) if path not in paths]
    if stale:
        yield StringCommand("rm", "-f", *map(QuoteString, stale))


def _refusal(links: Sequence[Link], unknown: Sequence[str], found: dict[str, IbInterface]) -> StringCommand | None:
    """Return the command that fails with what forbids these links here, if anything does."""
    if unknown:
        there = ", ".join(f"{item.name} ({item.device}/{item.port})" for item in found.values() if not item.parent)
        return failure(
            f"{host.name}: ipoib.interfaces.{unknown[0]}",
            expected="an IPoIB interface of this name, or an RDMA device that has one",
            found=there or "no IPoIB interface",
            cure="correct the name, or look whether the port is InfiniBand: `ibstat` says Link layer",
        )
    names = [link.name for link in links]
    if twice := [name for name in names if names.count(name) > 1]:
        return failure(
            f"{host.name}: ipoib.interfaces",
            expected="every interface once",
            found=f"{twice[0]} by its own name and by its RDMA device",
            cure="take one of them out",
        )
    needed: dict[str, str] = host.get_fact(NeededInterfaces)
    for name, carries in in_use(links, found, needed).items():
        return failure(
            f"{host.name}: {name}",
            expected="an interface that the way to this host does not depend on",
            found=f"one that carries {carries}",
            cure="take it out of ipoib.interfaces and configure it by hand, from the console",
        )
    return None
