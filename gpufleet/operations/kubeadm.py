"""kubeadm on a node: joining a cluster, and leaving it."""

from __future__ import annotations

import shlex
from collections.abc import Generator, Iterator
from typing import Any

from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host

from gpufleet.errors import HostError
from gpufleet.facts.kubelet import DIRECTORY, KUBECONFIG, NodeIdentity, NodeOccupancy, NodeTraces
from gpufleet.kubernetes.drained import refusal
from gpufleet.kubernetes.join import DIAGNOSES, Papers
from gpufleet.operations import failure

Commands = Generator[Any, None, None]

#: Where kubeadm's configuration lies while it runs, readable for root alone; /run is memory.
FOLDER = "/run/gpufleet-join"
KUBECONFIG_THERE = f"{FOLDER}/bootstrap.conf"

#: What a join that broke off leaves, and the next one would stumble over; the kubelet may wait with it on its port.
LEFT = ("/etc/kubernetes/bootstrap-kubelet.conf", "/etc/kubernetes/pki/ca.crt")

#: kubeadm's own output is shown without anything that looks like a token, and its last lines alone.
_JOIN = (
    "systemctl stop kubelet 2>/dev/null; rm -f {left}; "
    "umask 077; d={folder}; rm -rf $d; mkdir $d; trap 'rm -rf '$d EXIT; cat >{secret}; {configuration}"
    "timeout {timeout} kubeadm join --config=$d/join.yaml >$d/said 2>&1; rc=$?; [ $rc != 0 ] || exit 0; "
    "tail -n 5 $d/said | sed -E 's/[a-z0-9]{{6}}\\.[a-z0-9]{{16}}/(token)/g' >&2; {diagnoses}exit $rc"
)

#: Control groups of pods outlive them; runc makes some beside systemd's.
_EMPTY_GROUPS = (
    "systemctl stop kubepods.slice 2>/dev/null; "
    "find /sys/fs/cgroup -depth -type d -path '*/kubepods.slice*' -exec rmdir {} + 2>/dev/null; true"
)


@operation()
def joined(node: str, papers: Papers, endpoint: str, timeout: int) -> Commands:
    """
    Have the host in a cluster under this name; one that is in it already stays as it is.

    What is secret reaches the host by standard input, lies in a file that root alone can read, and goes with the end
    of the command.

    + node: name of the node
    + papers: kubeadm's configuration and, if it names `KUBECONFIG_THERE`, the bootstrap kubeconfig for that place
    + endpoint: host and port of the API server, for messages
    + timeout: seconds after which kubeadm is stopped

    **Example:**

    .. code:: python

        kubeadm.joined(name="Join", node="gpu-07", papers=papers, endpoint="10.0.0.1:6443", timeout=300)
    """
    identity = host.get_fact(NodeIdentity)
    # Want it in the cluster under this name and have it so?
    if identity == node:
        host.noop(f"joined as {node}")
        return
    if identity:
        yield failure(
            f"{host.name}: {KUBECONFIG}",
            expected=f"a host that is in no cluster, or is node {node}",
            found="one whose certificate is gone" if identity == "?" else f"node {identity}",
            cure="deploy it with `state: absent` first, which resets it",
        )
        return
    secret = papers.configuration if papers.kubeconfig is None else papers.kubeconfig
    yield StringCommand(script(host.name, papers, endpoint, timeout), _stdin=secret)


def script(where: str, papers: Papers, endpoint: str, timeout: int) -> str:
    """Return the shell that takes the secret paper by standard input, joins, and says in a sentence why it cannot."""
    plain = "" if papers.kubeconfig is None else papers.configuration
    return _JOIN.format(
        left=shlex.join(LEFT),
        folder=FOLDER,
        secret=KUBECONFIG_THERE if plain else f"{FOLDER}/join.yaml",
        configuration=f"printf %s {shlex.quote(plain)} >{FOLDER}/join.yaml; " if plain else "",
        timeout=timeout,
        diagnoses="".join(_diagnoses(where, endpoint)),
    )


def _diagnoses(where: str, endpoint: str) -> Iterator[str]:
    """Yield shell that looks for a known line and ends with its sentence."""
    for each in DIAGNOSES:
        place = f"{where}: cluster at {endpoint}"
        sentence = HostError(place, expected=each.expected, found=each.found, cure=each.cure)
        yield (
            f"if grep -qF {shlex.quote(each.text)} $d/said; then "
            f"printf '%s\\n' {shlex.quote(str(sentence))} >&2; exit $rc; fi; "
        )


@operation()
def reset(node: str, runtime: str, undrained: bool = False, timeout: int = 300) -> Commands:
    """
    Take the host out of its cluster: kubeadm's reset, then what that leaves.

    Rules of iptables, nftables and IPVS stay, as they may be other people's; a reboot clears them. The node stays in
    the API server.

    + node: name of the node
    + runtime: endpoint of the container runtime
    + undrained: also where pods of users run
    + timeout: seconds after which kubeadm is stopped

    **Example:**

    .. code:: python

        kubeadm.reset(name="Leave the cluster", node="gpu-07", runtime="unix:///run/containerd/containerd.sock")
    """
    traces: list[str] = host.get_fact(NodeTraces)
    # Want none and have none?
    if not list(traces):
        host.noop("the host is in no cluster")
        return
    occupancy = host.get_fact(NodeOccupancy, node=node)
    if not (undrained or occupancy.is_free):
        yield failure(
            f"{host.name}: kubelet.state",
            **refusal(node, "it leaves the cluster", "a reset ends its pods", occupancy),
        )
        return
    yield StringCommand(
        "if command -v kubeadm >/dev/null; then timeout",
        str(timeout),
        "kubeadm reset --force",
        QuoteString(f"--cri-socket={runtime}"),
        "; fi",
    )
    yield StringCommand(_EMPTY_GROUPS)
    left = [*traces, f"{DIRECTORY}/pki", "/etc/kubernetes/manifests", "/etc/kubernetes/pki", FOLDER]
    yield StringCommand("rm", "-rf", *map(QuoteString, dict.fromkeys(left)))
