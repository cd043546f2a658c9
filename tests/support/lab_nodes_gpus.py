"""Pods with a GPU on hosts of a lab: how they ask for one without a device plugin, and what systemd knows of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from gpufleet.facts.gpu_containers import GpuContainer, GpuContainers, RuntimeTasks
from gpufleet.lab.inventory import nvidia_repository, toolkit_repository
from gpufleet.operations.nvidia_runtime import NAME, PROGRAM
from tests.support.lab_nodes import Nodes, pod

#: Device nodes of a pod with the first GPU, and their numbers.
DEVICES = {
    "/dev/nvidia-uvm": "508:0",
    "/dev/nvidia-uvm-tools": "508:1",
    "/dev/nvidia0": "195:0",
    "/dev/nvidiactl": "195:255",
}
#: A file of that name in a container, mounted over from /dev/null, asks for a GPU.
ASKS = "/var/run/nvidia-container-devices"
CLASS = {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": NAME}, "handler": NAME}
#: Numbers of the lab's GPUs in what the kernel allows each container; control groups v2 have no such list.
_ALLOWED = """\
for u in $(systemctl list-units --type=scope --plain --no-legend 'cri-containerd-*.scope' | cut -d' ' -f1); do
cat "/sys/fs/cgroup/devices$(systemctl show --property=ControlGroup --value "$u")/devices.list" 2>/dev/null
done | grep -E '^c (195|508):' | sort; true"""


def declared() -> dict[str, Any]:
    """A host's data by which it has a driver and NVIDIA's container toolkit."""
    repositories = {"cuda": nvidia_repository(), "nvidia-container-toolkit": toolkit_repository()}
    driver = {"version": "580.105.08", "source": "nvidia"}
    return {"nvidia_driver": driver, "container_toolkit": {}, "stack": {"repositories": repositories}}


def start(nodes: Nodes, pods: Mapping[str, str]) -> None:
    """Ask for pods with a GPU, by the nodes that they shall run on."""
    nodes.own.kubectl("apply", "--filename=-", data=json.dumps(CLASS).encode())
    for name, node in pods.items():
        asked = pod(name, node)
        [container] = asked["spec"]["containers"]
        container.update(resources={}, volumeMounts=[{"name": "asks", "mountPath": f"{ASKS}/0"}])
        asked["spec"].update(runtimeClassName=NAME, volumes=[{"name": "asks", "hostPath": {"path": "/dev/null"}}])
        nodes.own.kubectl("apply", "--filename=-", data=json.dumps(asked).encode())


def stop(nodes: Nodes, pods: Mapping[str, str]) -> None:
    """End the pods, and wait until they are gone."""
    nodes.own.kubectl("delete", "pod", *pods)


def given_and_kept(nodes: Nodes, hosts: Iterable[str]) -> None:
    """Device nodes of one GPU alone, by kubelet, containerd, the runtime `nvidia` and runc; and systemd knows them."""
    pods = {f"gpu-{host}": host for host in hosts}
    numbers = DEVICES.values()
    start(nodes, pods)
    for name, host in pods.items():
        assert nodes.granted(name)["devices"] == list(DEVICES)
        before = allowed(nodes, host)
        nodes.fleet.host(host).execute("systemctl daemon-reload")
        assert before == allowed(nodes, host)
        assert before in ([], sorted(f"c {number} rwm" for number in numbers))
        [container] = known(nodes, host)
        assert (container.policy, container.losing) == ("strict", ())
        assert {f"/dev/char/{number}" for number in numbers} <= set(container.allowed)
        assert needing_the_runtime(nodes, host) == [f"default/{name}"]
    stop(nodes, pods)
    assert [needing_the_runtime(nodes, host) for host in pods.values()] == [[] for _ in pods]


def known(nodes: Nodes, host: str) -> list[GpuContainer]:
    """The host's containers with GPUs, as the role's check reads what systemd knows of their devices."""
    fact = GpuContainers()
    return fact.process(nodes.fleet.host(host).execute(fact.command()).stdout.splitlines())


def needing_the_runtime(nodes: Nodes, host: str) -> list[str]:
    """The host's pods that keep the role from removing NVIDIA's runtime."""
    fact = RuntimeTasks()
    command = fact.command(PROGRAM.rpartition("/")[2])
    return fact.process(nodes.fleet.host(host).execute(command).stdout.splitlines())


def allowed(nodes: Nodes, host: str) -> list[str]:
    """What the kernel lets the host's containers have of GPUs, such as `c 195:0 rwm`."""
    return nodes.fleet.host(host).execute(_ALLOWED).stdout.splitlines()
