"""What the role decides by itself: the configuration for this machine, labels, and what speaks against it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gpufleet.errors import HostError
from gpufleet.kubernetes import labels, numa_limits, server
from gpufleet.kubernetes.cpus import members
from gpufleet.kubernetes.kubelet_configuration import KubeletConfiguration, MemoryReservation, MemorySwap
from gpufleet.kubernetes.memory import NumaNode, required, shares
from gpufleet.kubernetes.quantity import count, written
from gpufleet.kubernetes.server import Answer
from gpufleet.stack.machine import Hardware, System
from gpufleet.stack.matrix import load
from gpufleet.stack.resolution import Resolution
from gpufleet.stack.resolve import resolve
from gpufleet.stack.verdicts import Verdict
from gpufleet.stack.wish import Wish
from roles.kubelet.groups import Managers
from roles.kubelet.options import Kubelet


@dataclass(frozen=True)
class Situation:
    """What a host says of itself, as far as it decides about its kubelet."""

    host: str
    nodes: tuple[NumaNode, ...]
    #: Processors that are online.
    cpus: str
    #: Name of the node that the host is already, empty for none.
    identity: str
    #: What the API server said to this host; None where it was not asked.
    server: Answer | None
    #: Whether a package is not installed at the version to install.
    is_to_change: bool = False
    #: Packages at their version, such as `kubeadm=1.36.3`, that their repository has not, and the versions that it has.
    lacking: Mapping[str, Sequence[str]] = field(default_factory=dict)


def configuration(options: Kubelet, nodes: Sequence[NumaNode]) -> KubeletConfiguration:
    """Return the kubelet's configuration; raises ValueError where the machine has not what it asks for."""
    reserved, managers = options.reserved, options.managers
    with_cpu = not reserved.cpus
    return KubeletConfiguration(
        container_runtime_endpoint=options.runtime,
        fail_cgroup_v1=options.fail_cgroup_v1,
        protect_kernel_defaults=options.protect_kernel_defaults,
        fail_swap_on=options.swap == "off",
        memory_swap=_swap(options),
        cpu_manager_policy=managers.cpu,
        cpu_manager_policy_options=managers.cpu_options if managers.cpu == "static" else {},
        memory_manager_policy=managers.memory,
        reserved_memory=_reserved_memory(options, nodes),
        topology_manager_policy=managers.topology,
        topology_manager_scope=managers.scope,
        topology_manager_policy_options=managers.topology_options,
        reserved_system_cpus=reserved.cpus,
        kube_reserved=reserved.kube.resources(with_cpu),
        system_reserved=reserved.system.resources(with_cpu),
        enforce_node_allocatable=tuple(reserved.enforced),
        eviction_hard={str(signal): value for signal, value in options.eviction.hard.items()},
        eviction_soft={str(signal): value for signal, value in options.eviction.soft.items()},
        eviction_soft_grace_period={str(signal): value for signal, value in options.eviction.grace.items()},
        image_gc_high_threshold_percent=options.images.collect_above,
        image_gc_low_threshold_percent=options.images.collect_to,
        image_minimum_gc_age=options.images.minimum_age,
        serialize_image_pulls=options.images.parallel_pulls == 1,
        max_parallel_image_pulls=options.images.parallel_pulls,
        shutdown_grace_period=options.shutdown.grace,
        shutdown_grace_period_critical_pods=options.shutdown.critical,
        server_tls_bootstrap=options.serving_certificate,
        max_pods=options.max_pods,
        pod_pids_limit=options.pod_pids,
        register_with_taints=options.all_taints,
        feature_gates=options.feature_gates,
    )


def _swap(options: Kubelet) -> MemorySwap | None:
    if options.swap == "off":
        return None
    return MemorySwap(swap_behavior="LimitedSwap" if options.swap == "limited" else "NoSwap")


def _reserved_memory(options: Kubelet, nodes: Sequence[NumaNode]) -> tuple[MemoryReservation, ...]:
    """Split what is reserved over the NUMA nodes, to the byte."""
    if options.managers.memory != "Static":
        return ()
    reserved, threshold = options.reserved, options.eviction.hard.get("memory.available", "100Mi")
    total = required(reserved.kube.memory, reserved.system.memory, threshold)
    parts = shares(total, nodes, {number: count(text) for number, text in reserved.numa.items()})
    return tuple(MemoryReservation(numa_node=node, limits={"memory": written(part)}) for node, part in parts.items())


def node_labels(options: Kubelet, gpus: tuple[str, ...], chosen: Resolution) -> dict[str, str]:
    """Return the labels that the node registers with."""
    driver = chosen.driver.version.partition("-")[0] if chosen.driver else ""
    place = labels.Place(options.place.rack, options.place.rail, options.place.nvlink_domain)
    return labels.of_node(gpus, driver, place, options.labels)


def beside(kubelet: str, server: str) -> tuple[Verdict, ...]:
    """Return why a kubelet may not work beside an API server of this version; nothing of an unknown one."""
    if not server:
        return ()
    return resolve(Hardware(), System("", ""), Wish(kubelet=kubelet, kube_apiserver=server), load()).errors


def problems(options: Kubelet, found: Situation) -> Iterator[HostError]:
    """Yield everything that speaks against making this host a node as declared, before anything is changed."""
    yield from _said(found.host, "node_name", lambda: options.node(found.host))
    yield from _said(found.host, "reserved", lambda: configuration(options, found.nodes))
    yield from _too_many_nodes(options.managers, found)
    if missing := members(options.reserved.cpus) - members(found.cpus):
        yield HostError(
            f"{found.host}: kubelet.reserved.cpus",
            expected=f"processors that are online ({found.cpus or 'none known'})",
            found=", ".join(map(str, sorted(missing))),
            cure="name others",
        )
    elif members(found.cpus) and members(options.reserved.cpus) == members(found.cpus):
        yield HostError(
            f"{found.host}: kubelet.reserved.cpus",
            expected=f"processors left for pods of those online ({found.cpus})",
            found="all of them reserved",
            cure="reserve fewer",
        )
    if found.identity and found.identity != (options.node_name or found.host):
        yield HostError(
            f"{found.host}: kubelet.node_name",
            expected=f"a host that is in no cluster, or is node {options.node_name or found.host}",
            found="one whose certificate is gone" if found.identity == "?" else f"node {found.identity}",
            cure="deploy it with `state: absent` first, which resets it",
        )
    if found.lacking:
        yield _not_of_one_release(found.host, found.lacking)
    if found.server is not None:
        yield from _beside_server(options, found, found.server)


def _beside_server(options: Kubelet, found: Situation, answer: Answer) -> Iterator[HostError]:
    """Yield what speaks against this host beside its API server, as far as that is to be heard."""
    endpoint = options.api_server or "the address in kubelet.conf"
    # A host that is a node already works on while its API server does not answer.
    if answer.status or not found.identity:
        yield from server.objections(found.host, endpoint, answer, options.clock_tolerance)
    is_to_join = options.join is not None and not found.identity
    is_silent = not answer.status and not found.identity  # which is said already
    if (found.is_to_change or is_to_join) and not (answer.version or options.api_server_version or is_silent):
        yield server.version_unknown(found.host, endpoint, answer)


def _too_many_nodes(managers: Managers, found: Situation) -> Iterator[HostError]:
    """Yield the managers that do not work with as many NUMA nodes as the machine has."""
    for each in numa_limits.excesses(managers.topology, managers.topology_options, managers.memory, len(found.nodes)):
        where = f"{found.host}: kubelet.managers.{each.option}"
        yield HostError(where, expected=each.expected, found=f"{len(found.nodes)} on this machine", cure=each.cure)


def _not_of_one_release(host: str, lacking: Mapping[str, Sequence[str]]) -> HostError:
    """Say that kubeadm is unlike kubelet, or that there is no such release at all."""
    offers = [f"{wish.partition('=')[0]} {' or '.join(found) or 'in no version'}" for wish, found in lacking.items()]
    return HostError(
        f"{host}: kubelet.version",
        expected=f"{', '.join(lacking)} in the repository of that minor",
        found=f"only {', '.join(offers)}",
        cure="name a version that it has of kubelet, kubeadm and kubectl alike, or a repository that has this one",
    )


def _said(host: str, option: str, attempt: Callable[[], object]) -> Iterator[HostError]:
    """Yield the sentence of a ValueError as the project's error."""
    try:
        attempt()
    except ValueError as error:
        text = str(error).replace("Value error, ", "")
        line = next((line.strip() for line in text.splitlines() if line.strip().startswith("expected ")), text)
        body, _, cure = line.partition(" [type=")[0].rpartition("; ")
        expected, _, said = body.removeprefix("expected ").rpartition(", found ")
        yield HostError(f"{host}: kubelet.{option}", expected=expected, found=said, cure=cure)
