"""The kubelet's configuration: the file, and what is refused as the kubelet would refuse it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gpufleet.kubernetes.kubelet_configuration import KubeletConfiguration
from gpufleet.kubernetes.memory import NumaNode, required, shares
from gpufleet.kubernetes.names import PREFLIGHT
from gpufleet.kubernetes.quantity import written

ENDPOINT = {"container_runtime_endpoint": "unix:///run/containerd/containerd.sock"}
STATIC: dict[str, Any] = {
    **ENDPOINT,
    "cpu_manager_policy": "static",
    "reserved_system_cpus": "0-3,64-67",
    "memory_manager_policy": "Static",
    "reserved_memory": [
        {"numaNode": 0, "limits": {"memory": "1536Mi"}},
        {"numaNode": 1, "limits": {"memory": "1536Mi"}},
    ],
    "kube_reserved": {"memory": "1Gi", "pid": "1000"},
    "system_reserved": {"memory": "1Gi"},
    "eviction_hard": {"memory.available": "1Gi", "nodefs.available": "10%"},
    "topology_manager_policy": "single-numa-node",
    "topology_manager_scope": "pod",
    "serialize_image_pulls": False,
    "max_parallel_image_pulls": 4,
    "register_with_taints": [PREFLIGHT],
}
TEXT = """\
# Managed by gpufleet (role kubelet).
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
cgroupDriver: systemd
failCgroupV1: true
protectKernelDefaults: true
failSwapOn: true
cpuManagerPolicy: static
memoryManagerPolicy: Static
reservedMemory:
- numaNode: 0
  limits:
    memory: 1536Mi
- numaNode: 1
  limits:
    memory: 1536Mi
topologyManagerPolicy: single-numa-node
topologyManagerScope: pod
reservedSystemCPUs: 0-3,64-67
kubeReserved:
  memory: 1Gi
  pid: '1000'
systemReserved:
  memory: 1Gi
enforceNodeAllocatable:
- pods
evictionHard:
  memory.available: 1Gi
  nodefs.available: 10%
imageGCHighThresholdPercent: 85
imageGCLowThresholdPercent: 80
imageMinimumGCAge: 2m0s
serializeImagePulls: false
maxParallelImagePulls: 4
shutdownGracePeriod: 0s
shutdownGracePeriodCriticalPods: 0s
rotateCertificates: true
serverTLSBootstrap: false
maxPods: 110
podPidsLimit: -1
registerWithTaints:
- key: gpufleet.dev/preflight
  value: pending
  effect: NoSchedule
"""


def test_the_file() -> None:
    assert KubeletConfiguration.model_validate(STATIC).text() == TEXT


def test_a_list_of_the_cluster_is_emptied() -> None:
    """A drop-in replaces lists as a whole: without the policy, the cluster's reservation must not stay."""
    found = yaml.safe_load(KubeletConfiguration.model_validate(ENDPOINT).text())
    assert found["reservedMemory"] == []
    assert "registerWithTaints" not in found


@given(st.integers(1, 2**36), st.integers(0, 2**36), st.integers(0, 2**36), st.integers(1, 8))
def test_computed_reservations_are_accepted(kube: int, system: int, eviction: int, nodes: int) -> None:
    machine = [NumaNode(number, 2**40) for number in range(nodes)]
    texts = [written(number) for number in (kube, system, eviction)]
    parts = shares(required(*texts), machine, {})
    reserved = [{"numaNode": number, "limits": {"memory": written(part)}} for number, part in parts.items()]
    changes = {
        "kube_reserved": {"memory": texts[0]},
        "system_reserved": {"memory": texts[1]},
        "eviction_hard": {"memory.available": texts[2]},
        "reserved_memory": reserved,
    }
    assert KubeletConfiguration.model_validate({**STATIC, **changes}).reserved_memory


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"reserved_system_cpus": ""},
            "expected processors kept from pods beside the static CPU manager, found none; "
            "name them in reservedSystemCPUs, or reserve cpu",
        ),
        (
            {"cpu_manager_policy": "none", "cpu_manager_policy_options": {"full-pcpus-only": "true"}},
            "expected options of the CPU manager with its policy static, found none; drop them, or set it static",
        ),
        (
            {"system_reserved": {"memory": "2Gi"}},
            "expected 4Gi in reservedMemory, the sum of kubeReserved, systemReserved and the hard threshold of "
            "eviction, found 3Gi; the kubelet starts with exactly that sum alone",
        ),
        (
            {"eviction_hard": {"memory.available": "5%"}},
            "expected the threshold memory.available of evictionHard in bytes, such as 1Gi, beside the static memory "
            "manager, found 5%; the sum over NUMA nodes must be exact",
        ),
        (
            {"reserved_system_cpus": "", "system_reserved": {"cpu": "2", "memory": "1Gi"}}
            | {"enforce_node_allocatable": ["pods", "system-reserved"]},
            "expected the cgroup that system-reserved is enforced on, found none; name it, or enforce pods alone",
        ),
        (
            {"kube_reserved_cgroup": "/kube.slice"},
            "expected no cgroup of kube-reserved beside reservedSystemCPUs, found /kube.slice; "
            "the kubelet takes one of the two",
        ),
        (
            {"enforce_node_allocatable": ["none", "pods"]},
            "expected none alone in enforceNodeAllocatable, found others beside it; drop it, or them",
        ),
        (
            {"eviction_soft": {"memory.available": "2Gi"}},
            "expected a soft threshold and a grace period for every signal, found one for memory.available; "
            "give each a threshold and a grace period",
        ),
        (
            {"image_gc_high_threshold_percent": 70},
            "expected image collection to begin above where it ends, found 70 and 80 percent; swap them",
        ),
        (
            {"serialize_image_pulls": True},
            "expected serializeImagePulls: false with several pulls at a time, found true; set it false",
        ),
        (
            {"memory_swap": {"swapBehavior": "LimitedSwap"}},
            "expected failSwapOn: false where pods may swap, found true; set both, or neither",
        ),
    ],
)
def test_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        KubeletConfiguration.model_validate({**STATIC, **changes})
    assert [error["msg"].removeprefix("Value error, ") for error in refused.value.errors()] == [message]
