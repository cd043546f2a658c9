"""The kubelet's configuration as GPU nodes need it, typed, and held to what the kubelet itself would refuse.

Source: Kubernetes 1.36.3, staging k8s.io/kubelet config/v1beta1/types.go (fields and defaults), and
pkg/kubelet/apis/config/validation/validation.go (rules); https://kubernetes.io/docs/reference/config-api/.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, model_validator

from gpufleet.kubernetes.memory import required
from gpufleet.kubernetes.names import Taint
from gpufleet.kubernetes.quantity import count, exact, written

MARK = "# Managed by gpufleet (role kubelet).\n"
API_VERSION, KIND = "kubelet.config.k8s.io/v1beta1", "KubeletConfiguration"
CpuPolicy = Literal["none", "static"]
MemoryPolicy = Literal["None", "Static"]
TopologyPolicy = Literal["none", "best-effort", "restricted", "single-numa-node"]
Enforced = Literal["pods", "system-reserved", "kube-reserved", "none"]


def _camel(name: str) -> str:
    """Return the field's name in the file: Kubernetes writes initials in one case, `reservedSystemCPUs`."""
    first, *rest = name.split("_")
    return first + "".join(_INITIALS.get(word, word.capitalize()) for word in rest)


_INITIALS = {"gc": "GC", "tls": "TLS", "dns": "DNS", "cpus": "CPUs"}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=_camel, populate_by_name=True)


class MemoryReservation(_Part):
    """Memory of one NUMA node that the memory manager gives to no pod."""

    numa_node: int
    limits: dict[str, str]


class MemorySwap(_Part):
    """How pods may swap, where the host does."""

    swap_behavior: Literal["NoSwap", "LimitedSwap"]


class KubeletConfiguration(_Part):
    """`KubeletConfiguration` of kubelet.config.k8s.io/v1beta1: the fields that gpufleet sets, all others are left."""

    container_runtime_endpoint: str
    cgroup_driver: Literal["systemd", "cgroupfs"] = "systemd"
    fail_cgroup_v1: bool = True
    protect_kernel_defaults: bool = True
    fail_swap_on: bool = True
    memory_swap: MemorySwap | None = None
    cpu_manager_policy: CpuPolicy = "none"
    cpu_manager_policy_options: dict[str, str] = {}
    memory_manager_policy: MemoryPolicy = "None"
    reserved_memory: tuple[MemoryReservation, ...] = ()
    topology_manager_policy: TopologyPolicy = "none"
    topology_manager_scope: Literal["container", "pod"] = "container"
    topology_manager_policy_options: dict[str, str] = {}
    reserved_system_cpus: str = ""
    kube_reserved: dict[str, str] = {}
    system_reserved: dict[str, str] = {}
    kube_reserved_cgroup: str = ""
    system_reserved_cgroup: str = ""
    enforce_node_allocatable: tuple[Enforced, ...] = ("pods",)
    eviction_hard: dict[str, str] = {}
    eviction_soft: dict[str, str] = {}
    eviction_soft_grace_period: dict[str, str] = {}
    image_gc_high_threshold_percent: int = 85
    image_gc_low_threshold_percent: int = 80
    image_minimum_gc_age: str = "2m0s"
    serialize_image_pulls: bool = True
    max_parallel_image_pulls: int | None = None
    shutdown_grace_period: str = "0s"
    shutdown_grace_period_critical_pods: str = "0s"
    rotate_certificates: bool = True
    server_tls_bootstrap: bool = False
    max_pods: int = 110
    pod_pids_limit: int = -1
    register_with_taints: tuple[Taint, ...] = ()
    feature_gates: dict[str, bool] = {}

    @model_validator(mode="after")
    def _the_kubelet_would_take_it(self) -> Self:
        if said := next(_refusals(self), ""):
            raise ValueError(said)
        return self

    def text(self) -> str:
        """Return the file: YAML, the fields in this order, those that are empty left out."""
        fields = self.model_dump(by_alias=True, mode="json", exclude_none=True)
        # A static manager's reservation of the file below must not outlive the policy, so that list stays though empty.
        kept = {name: value for name, value in fields.items() if value not in ("", {}) and _says(name, value)}
        document: dict[str, Any] = {"apiVersion": API_VERSION, "kind": KIND, **kept}
        return MARK + yaml.safe_dump(document, sort_keys=False, default_flow_style=False)


def _says(name: str, value: Any) -> bool:
    return value != [] or name == "reservedMemory"


def _refusals(given: KubeletConfiguration) -> Iterator[str]:
    """Yield what the kubelet would refuse, or start with though it cannot be meant."""
    yield from _processors(given)
    yield from _memory(given)
    yield from _cgroups(given)
    yield from _eviction(given)
    yield from _images(given)
    if given.memory_swap and given.fail_swap_on:
        yield "expected failSwapOn: false where pods may swap, found true; set both, or neither"


def _processors(given: KubeletConfiguration) -> Iterator[str]:
    reserved = [reserved.get("cpu", "0") for reserved in (given.kube_reserved, given.system_reserved)]
    if given.cpu_manager_policy == "static" and not (given.reserved_system_cpus or any(map(exact, reserved))):
        cure = "name them in reservedSystemCPUs, or reserve cpu"
        yield f"expected processors kept from pods beside the static CPU manager, found none; {cure}"
    if given.cpu_manager_policy_options and given.cpu_manager_policy != "static":
        yield "expected options of the CPU manager with its policy static, found none; drop them, or set it static"


def _memory(given: KubeletConfiguration) -> Iterator[str]:
    if given.memory_manager_policy != "Static":
        return
    threshold = given.eviction_hard.get("memory.available", "100Mi")
    try:
        total = required(
            given.kube_reserved.get("memory", "0"), given.system_reserved.get("memory", "0"), str(threshold)
        )
    except ValueError as error:
        yield str(error)
        return
    found = sum(count(part.limits.get("memory", "0")) for part in given.reserved_memory)
    if found != total:
        yield (
            f"expected {written(total)} in reservedMemory, the sum of kubeReserved, systemReserved and the hard "
            f"threshold of eviction, found {written(found)}; the kubelet starts with exactly that sum alone"
        )


def _cgroups(given: KubeletConfiguration) -> Iterator[str]:
    names = {"kube-reserved": given.kube_reserved_cgroup, "system-reserved": given.system_reserved_cgroup}
    for name, cgroup in names.items():
        if name in given.enforce_node_allocatable and not cgroup:
            yield f"expected the cgroup that {name} is enforced on, found none; name it, or enforce pods alone"
        if cgroup and given.reserved_system_cpus:
            yield (
                f"expected no cgroup of {name} beside reservedSystemCPUs, found {cgroup}; "
                "the kubelet takes one of the two"
            )
    if "none" in given.enforce_node_allocatable and len(given.enforce_node_allocatable) > 1:
        yield "expected none alone in enforceNodeAllocatable, found others beside it; drop it, or them"


def _eviction(given: KubeletConfiguration) -> Iterator[str]:
    if alone := sorted(given.eviction_soft.keys() ^ given.eviction_soft_grace_period.keys()):
        cure = "give each a threshold and a grace period"
        yield f"expected a soft threshold and a grace period for every signal, found one for {', '.join(alone)}; {cure}"


def _images(given: KubeletConfiguration) -> Iterator[str]:
    low, high = given.image_gc_low_threshold_percent, given.image_gc_high_threshold_percent
    if not 0 <= low < high <= 100:
        yield f"expected image collection to begin above where it ends, found {high} and {low} percent; swap them"
    if given.serialize_image_pulls and (given.max_parallel_image_pulls or 1) > 1:
        yield "expected serializeImagePulls: false with several pulls at a time, found true; set it false"
