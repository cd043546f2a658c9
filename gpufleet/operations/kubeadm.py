"""kubeadm on a node: joining a cluster, and leaving it."""

from __future__ import annotations

import shlex
from collections.abc import Generator, Iterator
from typing import Any

from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host

from gpufleet.errors import HostError
from gpufleet.facts.kubelet import DIRECTORY, KUBECONFIG, LAST_ERROR, NodeIdentity, NodeOccupancy, NodeTraces
from gpufleet.kubernetes.drained import refusal
from gpufleet.kubernetes.join import Papers
from gpufleet.kubernetes.join_failures import DIAGNOSES
from gpufleet.kubernetes.names import Taint
from gpufleet.operations import failure, stale_node

Commands = Generator[Any, None, None]

#: Where kubeadm's configuration lies while it runs, readable for root alone; /run is memory.
FOLDER = "/run/gpufleet-join"
KUBECONFIG_THERE = f"{FOLDER}/bootstrap.conf"

#: What a join that broke off leaves, and the next one would stumble over; the kubelet may wait with it on its port.
LEFT = ("/etc/kubernetes/bootstrap-kubelet.conf", "/etc/kubernetes/pki/ca.crt")

#: kubeadm's own output is shown without anything that looks like a token, and its last lines alone.
_JOIN = (
    "systemctl stop kubelet 2>/dev/null; rm -f {left}; "
    "umask 077; d={folder}; rm -rf $d; mkdir $d; trap 'rm -rf '$d EXIT; cat >{secret}; {configuration}{question}"
    "timeout {timeout} kubeadm join --config=$d/join.yaml >$d/said 2>&1; rc=$?; [ $rc != 0 ] || exit 0; "
    "tail -n 5 $d/said | sed -E 's/[a-z0-9]{{6}}\\.[a-z0-9]{{16}}|eyJ[A-Za-z0-9_.-]+/(token)/g' >&2; "
    "{diagnoses}exit $rc"
)

#: Control groups of pods outlive them; runc makes some beside systemd's.
_EMPTY_GROUPS = (
    "systemctl stop kubepods.slice 2>/dev/null; "
    "find /sys/fs/cgroup -depth -type d -path '*/kubepods.slice*' -exec rmdir {} + 2>/dev/null; true"
)


@operation()
def joined(node: str, papers: Papers, endpoint: str, timeout: int, taint: Taint | None = None) -> Commands:
    """
    Have the host in a cluster under this name; one that is in it already stays as it is.

    What is secret reaches the host by standard input, lies in a file that root alone can read, and goes with the end
    of the command.

    + node: name of the node
    + papers: kubeadm's configuration and, if it names `KUBECONFIG_THERE`, the bootstrap kubeconfig for that place
    + endpoint: host and port of the API server, for messages
    + timeout: seconds after which kubeadm is stopped
    + taint: what a node of this name must have that the cluster has already; none lets the host join any

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
    asked = question(host.name, node, papers, endpoint, taint)
    yield StringCommand(script(host.name, papers, endpoint, timeout, asked), _stdin=secret)


def question(where: str, node: str, papers: Papers, endpoint: str, taint: Taint | None) -> str:
    """Return shell that asks with the papers for a node that was left behind; none where it may be without a taint."""
    if taint is None:
        return ""
    kubeconfig = "" if papers.kubeconfig is None else KUBECONFIG_THERE
    return stale_node.question(where, node, taint, endpoint, FOLDER, kubeconfig)


def script(where: str, papers: Papers, endpoint: str, timeout: int, question: str = "") -> str:
    """Return the shell that takes the secret paper by standard input, joins, and says in a sentence why it cannot.

    `question` is shell that runs right before kubeadm, beside its configuration, and may end it.
    """
    plain = "" if papers.kubeconfig is None else papers.configuration
    return _JOIN.format(
        left=shlex.join(LEFT),
        folder=FOLDER,
        secret=KUBECONFIG_THERE if plain else f"{FOLDER}/join.yaml",
        configuration=f"printf %s {shlex.quote(plain)} >{FOLDER}/join.yaml; " if plain else "",
        question=question,
        timeout=timeout,
        diagnoses="".join(_diagnoses(where, endpoint)),
    )


def _diagnoses(where: str, endpoint: str) -> Iterator[str]:
    """Yield shell that looks for a known line and ends with its sentence."""
    for each in DIAGNOSES:
        place = f"{where}: cluster at {endpoint}"
        sentence = HostError(place, expected=each.expected, found=each.found or "%s", cure=each.cure)
        said = f"printf '%s\\n' {shlex.quote(str(sentence))}"
        if not each.found:
            last = f"l=$({LAST_ERROR}); "
            said = f'{last}printf {shlex.quote(f"{sentence}{chr(92)}n")} "${{l:-one that says no error}}"'
        yield f"if grep -qF {shlex.quote(each.text)} $d/said; then {said} >&2; exit $rc; fi; "


@operation()
def reset(node: str, runtime: str, undrained: bool = False, timeout: int = 300) -> Commands:
    """
    Take the host out of its cluster: kubeadm's reset, then what that leaves.

    Rules of iptables, nftables and IPVS stay, as they may be other people's; a reboot clears them. The node stays in
    the API server.

    + node: name of the node, where the host's certificate does not say it
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
    identity = host.get_fact(NodeIdentity)
    node = node if identity in ("", "?") else identity
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
