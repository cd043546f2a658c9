"""OpenSM's instances: their options, and how each is started, told of new partitions, restarted and forgotten."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from io import StringIO
from typing import Any

from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host
from pyinfra.operations import files as pyinfra_files

from gpufleet.facts.opensm import (
    CONFIGURATION,
    PROGRAM,
    InstanceState,
    OwnInstances,
    OwnTraces,
    PortGuids,
    unit,
)
from gpufleet.operations import failure
from gpufleet.operations.files import render

Commands = Generator[Any, None, None]


@operation()
def configured(instance: str, port: str, guid: str | None, roots: Sequence[str], **context: Any) -> Commands:
    """
    Write the options of one instance, and the GUIDs of its root switches where it has some.

    + instance: name of the instance
    + port: device and port, such as `mlx5_0/1`; its GUID is the host's own
    + guid: GUID of the port where that is given instead
    + roots: GUIDs of root switches
    + context: names that the template of the options uses

    **Example:**

    .. code:: python

        opensm.configured(name="Write the options", instance="mlx5_0-1", port="mlx5_0/1", guid=None, roots=[])
    """
    guids: dict[str, str] = {} if guid else host.get_fact(PortGuids)
    known = guid or guids.get(port)
    if not known:
        yield _no_port(port, guids)
        return
    path = f"{CONFIGURATION}/{instance}"
    names = {"instance": instance, "guid": known, "roots": roots, **context}
    yield from _written(f"{path}.opts", render("etc/gpufleet/opensm/instance.opts", **names))
    if roots:
        yield from _written(f"{path}.roots", "".join(f"{root}\n" for root in roots))
    else:
        yield from pyinfra_files.file._inner(path=f"{path}.roots", present=False)


@operation()
def running(instance: str) -> Commands:
    """
    Run an instance now and at boot; restart it where its options or its program changed, and where only partitions
    did, have it read those while it runs.

    + instance: name of the instance

    **Example:**

    .. code:: python

        opensm.running(name="Run the subnet manager", instance="mlx5_0-1")
    """
    name, state = unit(instance), host.get_fact(InstanceState, instance=instance)
    daemon = state.daemon
    verb = _verb(daemon.state.is_running, daemon.is_stale, state.has_unread_partitions)
    # Want it enabled, running and up to date, and have it so?
    if daemon.state.is_enabled and not verb:
        host.noop(f"{name} is enabled and running")
        return
    # systemd notices a new file of a template at some later time by itself.
    if verb in ("start", "restart"):
        yield StringCommand("systemctl", "daemon-reload")
    if not daemon.state.is_enabled:
        yield StringCommand("systemctl", "enable", QuoteString(name))
    if verb:
        yield StringCommand("systemctl", verb, QuoteString(name))


@operation()
def only(instances: Sequence[str]) -> Commands:
    """
    Stop every instance but these, and leave nothing that was written for it.

    + instances: names of the instances that stay

    **Example:**

    .. code:: python

        opensm.only(name="Run no other subnet manager", instances=["mlx5_0-1"])
    """
    others = [name for name in host.get_fact(OwnInstances) if name not in (*instances, "")]
    # Want no others and have none?
    if not others:
        host.noop("no other instance was set up")
        return
    yield StringCommand("systemctl", "disable", "--now", *(QuoteString(unit(name)) for name in others))
    paths = [f"{CONFIGURATION}/{name}.{kind}" for name in others for kind in ("opts", "roots")]
    yield StringCommand("rm", "-f", *map(QuoteString, paths))


@operation()
def forgotten() -> Commands:
    """
    Leave no configuration, log or cache of any instance.

    **Example:**

    .. code:: python

        opensm.forgotten(name="Forget the subnet manager")
    """
    traces: list[str] = host.get_fact(OwnTraces)
    # Want none and have none?
    if not list(traces):
        host.noop("no trace of a subnet manager")
        return
    yield StringCommand("rm", "-rf", *map(QuoteString, traces))


def _verb(is_running: bool, is_stale: bool, has_unread_partitions: bool) -> str:
    if not is_running:
        return "start"
    if is_stale:
        return "restart"
    return "reload" if has_unread_partitions else ""


def _written(path: str, text: str) -> Commands:
    yield from pyinfra_files.put._inner(src=StringIO(text), dest=path, mode="644", user="root", group="root")


def _no_port(port: str, guids: Mapping[str, str]) -> StringCommand:
    return failure(
        f"{host.name}: subnet_manager.ports",
        expected=f"an InfiniBand port {port} on this host for {PROGRAM}",
        found=", ".join(sorted(guids)) or "no InfiniBand port",
        cure="name a port that `ibstat` lists, load the adapter's driver, or take this host out of the managers",
    )
