"""From Debian to nodes of a real cluster, in the order of the tests.

What cannot be is refused before anything changes; one deploy makes both nodes; verification lets pods in, keeps them
out while a GPU is lost, and lets them in again; what others wrote stays; managers change on drained nodes alone; boots
of a host and of the control plane change nothing. gpufleet asks the API server by its own manifest's rights.
"""

from __future__ import annotations

import pytest

from gpufleet.kubernetes.gate import EVIDENCE, REASON, VERIFIED_AT
from gpufleet.kubernetes.quantity import count
from gpufleet.lab import docker
from gpufleet.lab.lab import Lab
from gpufleet.project import ROOT
from tests.support import lab_nodes_gpus as gpus
from tests.support import lab_nodes_left as left
from tests.support import lab_nodes_refused as refused
from tests.support.lab_nodes import HOSTS, ONE, TWO, Nodes
from tests.support.lab_nodes_others import of_others, write_as_others

pytestmark = pytest.mark.kubernetes

DEPLOYS = tuple(str(ROOT / "deploys" / name) for name in ("base.py", "driver.py", "kubernetes.py"))
#: kube, system and the hard threshold of eviction, 1Gi each.
RESERVED = 3 * 1024**3
LOST = "nvidia_driver every_gpu_on_the_bus_answers: nvidia-smi: expected exit status 0, found 255"


@pytest.mark.parametrize("case", refused.CASES)
def test_refused_before_any_change(nodes: Nodes, case: str) -> None:
    before = {host: left.state(nodes, host) for host in HOSTS}
    with refused.ways(nodes, dict(zip(HOSTS, refused.CASES[case], strict=True))) as expected:
        assert refused.told(nodes.deploy(*HOSTS)) == expected
    assert {host: left.state(nodes, host) for host in HOSTS} == before


def test_one_deploy_makes_them_nodes(nodes: Nodes) -> None:
    assert nodes.changed(*HOSTS) > 0
    nodes.until_ready(*HOSTS)
    for host in HOSTS:
        assert nodes.taints(host) == ["pending:NoSchedule"]
        info = nodes.node(host)["status"]["nodeInfo"]
        assert info["kubeletVersion"] == f"v{nodes.own.version}"
        assert info["containerRuntimeVersion"].startswith("containerd://2.")
        nodes.start_pod(f"train-{host}", host)
    for host in HOSTS:
        nodes.until_refused(f"train-{host}")


def test_verification_lets_pods_in_and_they_get_gpus(nodes: Nodes) -> None:
    assert nodes.verify() == dict.fromkeys(HOSTS, "lifted")
    for host in HOSTS:
        assert nodes.granted(f"train-{host}")["cpus"] not in ("", "0")
        labels = nodes.node(host)["metadata"]["labels"]
        assert (nodes.taints(host), {VERIFIED_AT, EVIDENCE} <= labels.keys()) == ([], True)
        assert labels["gpufleet.dev/gpu-model"] == "H100-SXM5-80GB"
    gpus.given_and_kept(nodes, HOSTS)


def test_a_second_run_changes_nothing(nodes: Nodes) -> None:
    code, found = nodes.command("deploy", *DEPLOYS)
    assert (code, found["totals"]["changed"]) == (0, 0)
    assert {host: node["action"] for host, node in found["nodes"].items()} == dict.fromkeys(HOSTS, "confirmed")


def test_control_groups_are_the_nodes_own(nodes: Nodes) -> None:
    for host in HOSTS:
        found = (
            nodes.fleet.host(host)
            .execute("find /sys/fs/cgroup -maxdepth 2 -name kubepods.slice -printf '%f\\n'")
            .stdout
        )
        assert set(found.splitlines()) == {"kubepods.slice"}


def test_managers_are_in_force(nodes: Nodes) -> None:
    expected = {
        "cpuManagerPolicy": "static",
        "memoryManagerPolicy": "Static",
        "topologyManagerPolicy": "best-effort",
        "topologyManagerScope": "container",
        "reservedSystemCPUs": "0",
        "shutdownGracePeriod": "5m0s",
        "maxParallelImagePulls": 4,
        "protectKernelDefaults": True,
        # Of the cluster's own file, below ours.
        "clusterDomain": "cluster.local",
    }
    for host in HOSTS:
        found = nodes.in_force(host)
        assert {key: found.get(key) for key in expected} == expected
        assert sum(count(part["limits"]["memory"]) for part in found["reservedMemory"]) == RESERVED


def test_the_kubelet_itself_refuses_another_sum(nodes: Nodes) -> None:
    with refused.reserving(nodes, ONE, RESERVED + 1) as said:
        assert f'"{RESERVED + 1}"' in said
    nodes.until_ready(ONE)


def test_what_others_wrote_survives(nodes: Nodes) -> None:
    write_as_others(nodes.own, TWO)
    before = of_others(nodes.node(TWO))
    nodes.declare(TWO, place={"rack": "b2"})
    assert nodes.changed(TWO) == 1
    assert nodes.verify(TWO) == {TWO: "confirmed"}
    node = nodes.node(TWO)
    assert (of_others(node), node["metadata"]["labels"]["gpufleet.dev/rack"]) == (before, "b2")


def test_managers_change_on_a_drained_node_alone(nodes: Nodes) -> None:
    nodes.declare(ONE, managers={"cpu": "none"})
    before = left.state(nodes, ONE)
    assert nodes.deploy(ONE) == [
        f"{ONE}: kubelet.managers: expected a drained node before cpu_manager_state goes (the CPU manager's policy was "
        f"static), found it not cordoned with default/train-{ONE}; run `kubectl drain {ONE} --ignore-daemonsets`, and "
        "deploy again"
    ]
    assert left.state(nodes, ONE) == before
    nodes.own.kubectl("drain", ONE, "--ignore-daemonsets", "--force")
    assert nodes.changed(ONE) > 0
    nodes.until_ready(ONE)
    assert nodes.in_force(ONE)["cpuManagerPolicy"] == "none"
    nodes.until_recorded(ONE, '"policyName":"none"')
    nodes.own.kubectl("uncordon", ONE)
    nodes.start_pod(f"train-{ONE}", ONE)
    assert nodes.granted(f"train-{ONE}")


def test_a_lost_gpu_keeps_pods_out_and_they_come_back(nodes: Nodes) -> None:
    host = nodes.fleet.host(ONE)
    host.fault("gpu-lost", 3)
    said = nodes.verify(ONE)[ONE]
    assert LOST in said
    assert nodes.taints(ONE) == ["failed:NoSchedule"]
    assert f"tainted: {nodes.node(ONE)['metadata']['annotations'][REASON]}" == said
    assert nodes.granted(f"train-{ONE}")
    host.fault("gpu-lost", clear=True)
    host.reboot()
    nodes.until_ready(ONE)
    assert nodes.verify(ONE) == {ONE: "lifted"}
    assert (nodes.taints(ONE), REASON in nodes.node(ONE)["metadata"]["annotations"]) == ([], False)


def test_the_control_plane_survives_a_restart(nodes: Nodes) -> None:
    docker.docker("restart", "--time=1", nodes.own.server.container)
    Lab.up(nodes.fleet.lab.name, say=print)
    nodes.until_ready(*HOSTS)
