"""The kubelet: what speaks against one on a host, when it may become another, and its service."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Generator, Mapping, Sequence
from typing import Any

from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host

from gpufleet.errors import GpufleetError, HostError
from gpufleet.facts.gpu_daemons import GpuDaemonState
from gpufleet.facts.kubelet import (
    KUBECONFIG,
    LAST_ERROR,
    UNIT,
    NodeIdentity,
    NodeLabels,
    NodeOccupancy,
)
from gpufleet.facts.packages import InstalledVersions
from gpufleet.kubernetes.drained import refusal
from gpufleet.operations import failure
from gpufleet.stack.versions import minor

Commands = Generator[Any, None, None]

PROGRAM = "/usr/bin/kubelet"
#: Seconds for a kubelet to say that it is well.
HEALTHY_WITHIN = 120
HEALTHZ = "kubectl --kubeconfig=/dev/null --server=http://127.0.0.1:10248 get --raw /healthz"


@operation()
def refused(problems: Sequence[GpufleetError]) -> Commands:
    """
    Refuse this host with every sentence that speaks against it, and let the others go on.

    + problems: what is wrong

    **Example:**

    .. code:: python

        kubelet.refused(name="Refuse a host that cannot join", problems=problems)
    """
    lines = [QuoteString(str(problem)) for problem in problems]
    yield StringCommand("printf", "'%s\\n'", *lines, ">&2;", "false")


@operation()
def may_move(version: str, node: str) -> Commands:
    """
    Refuse another minor version of the kubelet on a node that is not drained, as Kubernetes does not support it.

    + version: version that is wanted
    + node: name of the node

    **Example:**

    .. code:: python

        kubelet.may_move(name="See that the node is drained", version="1.36.3", node="gpu-07")
    """
    installed = host.get_fact(InstalledVersions, packages=["kubelet"]).get("kubelet", "")
    # Want the same minor version, or have none?
    if not installed or minor(installed) == minor(version):
        host.noop(f"kubelet {installed} may become {version}" if installed else "no kubelet is installed yet")
        return
    occupancy = host.get_fact(NodeOccupancy, node=node)
    if occupancy.is_free:
        host.noop(f"kubelet {installed} may become {version}: nothing runs here")
        return
    what, why = f"the kubelet becomes {version}", f"it is {installed}"
    yield failure(f"{host.name}: kubelet.version", **refusal(node, what, why, occupancy))


@operation()
def labeled(node: str, labels: Mapping[str, str], computed: Collection[str]) -> Commands:
    """
    Have labels of the node as declared, by the kubelet's own rights; a kubelet sets them at its registration alone.

    + node: name of the node
    + labels: value of each
    + computed: keys that are ours alone, and go where they are not declared; all other labels stay as they are

    **Example:**

    .. code:: python

        kubelet.labeled(name="Label the node", node="gpu-07", labels={"gpufleet.dev/rack": "a1"}, computed=[])
    """
    found: dict[str, str] | None = host.get_fact(NodeLabels)
    if found is None:
        host.noop("the API server did not say the labels of this node, so they stay")
        return
    words = [f"{key}={value}" for key, value in labels.items() if found.get(key) != value]
    words += [f"{key}-" for key in sorted(set(computed) & found.keys() - labels.keys())]
    # Want these labels and have them?
    if not words:
        host.noop(f"labels of node {node} are as declared")
        return
    command = f"kubectl --kubeconfig={KUBECONFIG} --request-timeout=10s label --overwrite node"
    yield StringCommand(command, QuoteString(node), *map(QuoteString, words))


@operation()
def running(files: Sequence[str]) -> Commands:
    """
    Run the kubelet now and at boot, on the files as they are, and wait until it says that it is well.

    A restart leaves the pods alone.

    + files: what it reads at its start alone, its program among them; absolute paths

    **Example:**

    .. code:: python

        kubelet.running(name="Run the kubelet", files=["/usr/bin/kubelet"])
    """
    if not host.get_fact(NodeIdentity):
        host.noop("the host has joined no cluster, so its kubelet has nothing to do")
        return
    daemon = host.get_fact(GpuDaemonState, unit=UNIT, files=files)
    is_current = daemon.state.active == "active" and not (daemon.is_stale or daemon.is_unread)
    verb = "" if is_current else "restart"
    # Want it enabled, running and up to date, and have it so?
    if daemon.state.is_enabled and not verb:
        host.noop(f"{UNIT} is enabled and running")
        return
    if daemon.is_unread:
        yield StringCommand("systemctl", "daemon-reload")
    if not daemon.state.is_enabled:
        yield StringCommand("systemctl", "enable", UNIT)
    if verb:
        yield StringCommand("systemctl", verb, UNIT, "&&", _healthy())


def _healthy() -> str:
    """Return the command that waits for the kubelet's own word, and fails with its last error."""
    sentence = HostError(
        f"{host.name}: {UNIT}",
        expected=f"a kubelet that is healthy within {HEALTHY_WITHIN} s",
        found="%s",
        cure="see `journalctl -u kubelet` on the host",
    )
    wait = f'until [ "$({HEALTHZ} 2>/dev/null)" = ok ]; do sleep 1; done'
    said = f'printf {shlex.quote(f"{sentence}{chr(10)}")} "$({LAST_ERROR})" >&2; exit 1'
    return f"timeout {HEALTHY_WITHIN} sh -c {shlex.quote(wait)} || {{ {said}; }}"
