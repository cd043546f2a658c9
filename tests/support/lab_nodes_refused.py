"""What keeps hosts of the lab from being nodes, two at a time, and the last line that is said of each."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from gpufleet.lab import waiting
from tests.support.lab_nodes import Nodes

SKEW = 'https://kubernetes.io/releases/ and "Version Skew Policy" there; containerd RELEASES.md, "Kubernetes Support"'
#: The machine has one clock for all hosts: on this one `date` tells that of an hour ago.
CLOCK = "/usr/local/bin/date"
BEHIND = f'printf \'#!/bin/sh\\nexec /bin/date --date="1 hour ago" "$@"\\n\' >{CLOCK}; chmod 755 {CLOCK}'


@dataclass(frozen=True)
class Way:
    """What is declared otherwise by key, what is done to the host and undone, and what is said."""

    expected: str
    declared: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    done: str = "true"
    undone: str = "true"


NEWER = Way(
    "{host}: error: kubelet: expected a kubelet no newer than the API server's {version}, found kubelet 1.37.1; "
    f"upgrade the control plane first (row kubernetes {{minor}}; {SKEW})",
    {"kubelet": {"version": "1.37.1"}},
)
OLDER = Way(
    "{host}: error: kubelet: expected kubelet 1.33 or newer for API server {version}, found kubelet 1.32.4; upgrade "
    f"the kubelet, one minor version after the other (row kubernetes {{minor}}; {SKEW})",
    {"kubelet": {"version": "1.32.4"}, "container_runtime": {"version": "auto"}},
)
RUNTIME = Way(
    "{host}: error: containerd: expected containerd 2.2.0 or newer for kubelet {version}, found containerd 1.7.24; "
    f"choose a newer containerd (row kubernetes {{minor}}; {SKEW})",
    {"container_runtime": {"source": "distribution", "version": "auto"}},
)
SILENT = Way(
    "{host}: kubelet.api_server: expected an API server at 127.0.0.1:1 that answers this host, found no answer; see "
    "that it runs, that the address is right, and that nothing between them filters",
    {"kubelet": {"api_server": "127.0.0.1:1"}},
)
LATE = Way(
    "{host}: clock: expected the API server's time, give or take 60 s, found a clock 3600 s behind it; see that the "
    "host's chrony runs and reaches its servers (`chronyc sources`)",
    done=BEHIND,
    undone=f"rm {CLOCK}",
)
PROCESSORS = Way(
    "{host}: kubelet.reserved.cpus: expected processors that are online ({online}), found 4096; name others",
    {"kubelet": {"reserved": {"cpus": "0,4096"}}},
)
#: What is said of the first host and of the second one.
CASES = {
    "kubelet beside another API server": (NEWER, OLDER),
    "old containerd, silent API server": (RUNTIME, SILENT),
    "clock, processors": (LATE, PROCESSORS),
}


@contextmanager
def ways(nodes: Nodes, given: Mapping[str, Way]) -> Iterator[list[str]]:
    """Give hosts what keeps them from being nodes, and take it away again; yields what is said of them."""
    before = copy.deepcopy(nodes.fleet.declared)
    try:
        for host, way in given.items():
            nodes.fleet.host(host).execute(way.done)
            changed = {key: {**before[host][key], **options} for key, options in way.declared.items()}
            nodes.fleet.declare(**{host: changed})
        yield [way.expected.format(**_words(nodes, host)) for host, way in given.items()]
    finally:
        nodes.fleet.declare(**before)
        for host, way in given.items():
            nodes.fleet.host(host).execute(way.undone)


def told(lines: list[str]) -> list[str]:
    """What was said, with an hour as an hour: seconds may pass between two clocks, as for a new connection."""
    return [re.sub(r"\b(3599|360[1-9]) s behind", "3600 s behind", line) for line in lines]


def _words(nodes: Nodes, host: str) -> dict[str, str]:
    version = nodes.own.version
    online = nodes.fleet.host(host).execute("cat /sys/devices/system/cpu/online").stdout.strip()
    return {"host": host, "version": version, "minor": version.rpartition(".")[0], "online": online}


@contextmanager
def tokens(nodes: Nodes, *, wrong: str, expired: str) -> Iterator[list[str]]:
    """Give one host a token that the cluster never knew, and another one that has expired; then good ones."""
    for host in (wrong, expired):
        nodes.declare(host, state="present", join={**nodes.way(host), "timeout": 10})
    (nodes.folder / f"{wrong}.token").write_text("zzzzzz.0123456789abcdef")
    old = nodes.own.token("2s")
    (nodes.folder / f"{expired}.token").write_text(old)

    def gone() -> tuple[bool, str]:
        found = nodes.own.kubectl("get", "secrets", "--namespace=kube-system", "--output=name")
        return f"bootstrap-token-{old.partition('.')[0]}" not in found, found

    waiting.until("the cluster", "the token expired", gone, 60)
    said = (
        "expected a token that the cluster knows, found one that is wrong, or has expired; run `kubeadm token create` "
        "on a control plane, and give the new token"
    )
    yield [f"{host}: cluster at {nodes.own.endpoint}: {said}" for host in (wrong, expired)]
    for host in (wrong, expired):
        nodes.declare(host, join=nodes.way(host))


def left_behind(nodes: Nodes, host: str) -> str:
    """What is said of a host whose node stayed in the cluster without the taint."""
    return (
        f"{host}: cluster at {nodes.own.endpoint}: expected no node {host} before the host joins, or one with the "
        "taint gpufleet.dev/preflight, found one without it, where pods would start before the host is verified: a "
        f"kubelet taints only a node that it makes; run `kubectl delete node {host}`, or `kubectl taint node {host} "
        "gpufleet.dev/preflight=pending:NoSchedule`, and deploy again"
    )


@contextmanager
def reserving(nodes: Nodes, name: str, total: int) -> Iterator[str]:
    """Have a kubelet start with another sum of reserved memory, by a drop-in over ours; yields what it says."""
    host, path = nodes.fleet.host(name), "/etc/kubernetes/kubelet.conf.d/60-other.conf"
    kind = "apiVersion: kubelet.config.k8s.io/v1beta1\\nkind: KubeletConfiguration"
    memory = f'reservedMemory: [{{numaNode: 0, limits: {{memory: "{total}"}}}}]'
    host.execute(f"printf '{kind}\\n{memory}\\n' >{path}; systemctl restart kubelet")
    last = "journalctl -u kubelet -o cat -n 300 | grep -o 'the total amount.*Allocatable feature' | tail -n 1"
    try:
        waiting.until(name, "a kubelet that refuses the sum", lambda: _printed(nodes, name, last), 60)
        yield _printed(nodes, name, last)[1].replace("\\", "")
    finally:
        host.execute(f"rm {path}; systemctl restart kubelet")


def _printed(nodes: Nodes, host: str, command: str) -> tuple[bool, str]:
    text = nodes.fleet.host(host).execute(command).stdout
    return bool(text), text
