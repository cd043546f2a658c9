"""A node of an older minor of Kubernetes that moves to the cluster's: when it may, and what it has before and then."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gpufleet.facts.kubelet_flags import FLAGS
from gpufleet.lab.control_plane import programs
from gpufleet.stack.versions import upstream
from tests.support import lab_nodes_left as left
from tests.support.lab_nodes import READY_WITHIN, RUNTIME, Nodes
from tests.support.lab_nodes_others import of_others, write_as_others

#: containerd that both minors go together with.
CONTAINERD = "2.2.6"
#: As kubeadm 1.34 wrote it.
GONE = "--pod-infra-container-image=registry.k8s.io/pause:3.10.1"
VERSIONED = ("kubelet", "kubeadm", "kubectl")
_PACKAGES = f"dpkg-query --show --showformat='${{Package}} ${{Version}}\\n' {' '.join(VERSIONED)}"


def begin_for_both(nodes: Nodes, host: str) -> None:
    """Declare a containerd that fits the older minor and the cluster's."""
    nodes.fleet.declare(**{host: {"container_runtime": {**RUNTIME, "version": CONTAINERD}}})


def release() -> str:
    """The older release whose packages the lab serves."""
    return programs.older(programs.ensure(print), print, asked=True)[0].version


def joins(nodes: Nodes, hosts: Iterable[str], *, older: str) -> None:
    """Have hosts join, one of them with the older minor, and run a pod on each."""
    nodes.declare(older, version=release())
    assert nodes.changed(*hosts) > 0
    nodes.until_ready(*hosts)
    assert nodes.verify() == dict.fromkeys(hosts, "lifted")
    for host in hosts:
        nodes.start_pod(f"train-{host}", host)
        assert nodes.granted(f"train-{host}")
    check(nodes, older, release())


def refuses(nodes: Nodes, host: str, *, wanted: str) -> None:
    """See that a node with a pod of a user stays of its minor, whole and with a sentence; then it is to stay so."""
    found = nodes.options[host]["version"]
    nodes.declare(host, version=wanted)
    before = left.state(nodes, host)
    assert nodes.deploy(host) == [
        f"{host}: kubelet.version: expected a drained node before the kubelet becomes {wanted} (it is {found}-1.1), "
        f"found it not cordoned with default/train-{host}; run `kubectl drain {host} --ignore-daemonsets`, and deploy "
        "again"
    ]
    assert left.state(nodes, host) == before
    nodes.declare(host, version=found)
    check(nodes, host, found)


def moves(nodes: Nodes, host: str, *, beside: str) -> None:
    """Drain a node and see it become of the cluster's version; nothing of others, or of the node beside it, changes."""
    write_as_others(nodes.own, host)
    others, aside = of_others(nodes.node(host)), _aside(nodes, beside)
    flags = _joined_by_an_older_kubeadm(nodes, host)
    nodes.own.kubectl("drain", host, "--ignore-daemonsets", "--force")
    nodes.declare(host, version=nodes.own.version)
    assert nodes.changed(host, beside) > 0
    assert nodes.fleet.host(host).execute(f"cat {FLAGS}").stdout == flags
    check(nodes, host, nodes.own.version)
    nodes.until_ready(host)
    nodes.own.kubectl("uncordon", host)
    nodes.until_untainted(host)
    assert (of_others(nodes.node(host)), _aside(nodes, beside)) == (others, aside)
    assert nodes.changed(host, beside) == 0
    assert nodes.verify(host) == {host: "confirmed"}
    nodes.start_pod(f"train-{host}", host)
    assert nodes.granted(f"train-{host}")


def _joined_by_an_older_kubeadm(nodes: Nodes, host: str) -> str:
    """Give kubeadm's file the flag that 1.34 wrote and that no kubelet has from 1.35 on; returns it as it was."""
    machine = nodes.fleet.host(host)
    before = str(machine.execute(f"cat {FLAGS}").stdout)
    assert before.startswith('KUBELET_KUBEADM_ARGS="')
    machine.execute(f"""sed -i 's|^KUBELET_KUBEADM_ARGS="|&{GONE} |' {FLAGS}; grep -q -e {GONE} {FLAGS}""")
    return before


def check(nodes: Nodes, host: str, version: str) -> None:
    """See that the node says this version of its kubelet, and that its packages are of it, and held."""
    told = f"--for=jsonpath={{.status.nodeInfo.kubeletVersion}}=v{version}"
    nodes.own.kubectl("wait", told, f"node/{host}", f"--timeout={READY_WITHIN}s")
    machine = nodes.fleet.host(host)
    rows = [line.split() for line in machine.execute(_PACKAGES).stdout.splitlines()]
    assert {name: upstream(found) for name, found in rows} == dict.fromkeys(VERSIONED, version)
    assert set(VERSIONED) <= set(machine.execute("apt-mark showhold").stdout.split())


def _aside(nodes: Nodes, host: str) -> list[Any]:
    node = nodes.node(host)
    return [left.state(nodes, host), node["spec"], node["metadata"]["labels"], node["metadata"]["annotations"]]
