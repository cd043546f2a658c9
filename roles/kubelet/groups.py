"""Groups of options of the role `kubelet`."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from gpufleet.kubernetes import numa_limits
from gpufleet.kubernetes.cpus import members
from gpufleet.kubernetes.kubelet_configuration import CpuPolicy, MemoryPolicy, TopologyPolicy
from gpufleet.kubernetes.quantity import Bytes, Processors, count
from gpufleet.options.secret import Secret


def _cpus(text: str) -> str:
    members(text)
    return text


def _threshold(text: str) -> str:
    if not text.endswith("%"):
        count(text)
    elif not text[:-1].replace(".", "", 1).isdigit() or not 0 < float(text[:-1]) < 100:
        raise ValueError(f"expected a threshold such as 1Gi or 10%, found {text!r}; write it so")
    return text


def _numa_options(options: dict[str, str]) -> dict[str, str]:
    numa_limits.most(options)
    return options


CpuSet = Annotated[str, AfterValidator(_cpus)]
Threshold = Annotated[str, AfterValidator(_threshold)]
TopologyOptions = Annotated[dict[str, str], AfterValidator(_numa_options)]
Signal = Literal[
    "memory.available", "nodefs.available", "nodefs.inodesFree", "imagefs.available", "imagefs.inodesFree",
    "pid.available",
]  # fmt: skip
Duration = Annotated[str, StringConstraints(pattern=r"^([0-9]+h)?([0-9]+m)?([0-9]+s)?$", min_length=2)]


class _Part(BaseModel):
    """A group of options; a misspelt one is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Join(_Part):
    """How the host joins: by a short-lived token, or by a bootstrap kubeconfig that is there already."""

    token: Secret | None = Field(default=None, description="Token, as `kubeadm token create` prints it.")
    ca_hashes: Secret | None = Field(
        default=None, description="Hash of the cluster's authority, `sha256:...`, which the token's use needs."
    )
    bootstrap_kubeconfig: Secret | None = Field(default=None, description="Kubeconfig, in place of token and hash.")
    ignored: list[str] = Field(default=[], description="kubeadm's own checks that are not to stop it.")
    timeout: int = Field(default=120, ge=10, le=1800, description="Seconds for each of kubeadm's steps.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        given = [name for name in ("token", "ca_hashes", "bootstrap_kubeconfig") if getattr(self, name) is not None]
        if given not in (["token", "ca_hashes"], ["bootstrap_kubeconfig"]):
            found = " and ".join(given) or "none"
            raise ValueError(f"expected token and ca_hashes, or bootstrap_kubeconfig, found {found}; give one way")
        return self


class Place(_Part):
    """Where the node stands: labels that a scheduler of jobs keeps neighbors together by."""

    rack: str = Field(default="", max_length=63, description="Rack.")
    rail: str = Field(default="", max_length=63, description="Rail, or rail group.")
    nvlink_domain: str = Field(default="", max_length=63, description="NVLink domain, on racks that are one.")


class Share(_Part):
    """Resources kept from pods for one kind of daemons."""

    cpu: Processors = Field(default="0", description="Processors; ignored where `reserved.cpus` names them.")
    memory: Bytes = Field(default="1Gi", description="Memory.")
    storage: Bytes = Field(default="1Gi", description="Storage on the kubelet's file system.")
    pids: int = Field(default=1000, ge=0, description="Process ids.")

    def resources(self, with_cpu: bool) -> dict[str, str]:
        """Return the kubelet's map."""
        cpu = {"cpu": self.cpu} if with_cpu and self.cpu != "0" else {}
        return {**cpu, "memory": self.memory, "ephemeral-storage": self.storage, "pid": str(self.pids)}


class Reserved(_Part):
    """What is kept from pods."""

    cpus: CpuSet = Field(default="0,1", description="Processors that pods with processors of their own never get.")
    kube: Share = Field(default_factory=Share, description="For the kubelet and the container runtime.")
    system: Share = Field(default_factory=Share, description="For everything else on the host.")
    numa: dict[int, Bytes] = Field(
        default={}, description="Memory kept on each NUMA node; none splits the whole by the nodes' memory."
    )
    enforced: list[Literal["pods", "none"]] = Field(
        default=["pods"], min_length=1, max_length=1, description="On whom limits are enforced."
    )


class Managers(_Part):
    """How processors, memory and devices are given to pods that ask for whole ones."""

    cpu: CpuPolicy = Field(default="static", description="`static` gives pods of whole processors their own.")
    cpu_options: dict[str, str] = Field(default={}, description="Options of that policy, such as `full-pcpus-only`.")
    memory: MemoryPolicy = Field(default="Static", description="`Static` gives pods memory of their NUMA node.")
    topology: TopologyPolicy = Field(
        default="best-effort", description="How strictly GPUs, adapters, processors and memory are of one NUMA node."
    )
    scope: Literal["container", "pod"] = Field(default="container", description="What is kept together.")
    topology_options: TopologyOptions = Field(default={}, description="Options of the topology manager.")


class Eviction(_Part):
    """When pods are ended to keep the node alive."""

    hard: dict[Signal, Threshold] = Field(
        default={
            "memory.available": "1Gi",
            "nodefs.available": "10%",
            "nodefs.inodesFree": "5%",
            "imagefs.available": "15%",
        },
        description="Thresholds at which pods end at once; `memory.available` in bytes beside the memory manager.",
    )
    soft: dict[Signal, Threshold] = Field(default={}, description="Thresholds at which they get time to end.")
    grace: dict[Signal, Duration] = Field(default={}, description="That time, for each soft threshold.")


class Images(_Part):
    """Images of containers."""

    collect_above: int = Field(default=85, ge=1, le=100, description="Percent of the disk above which some go.")
    collect_to: int = Field(default=75, ge=0, le=99, description="Percent of the disk at which that ends.")
    minimum_age: Duration = Field(default="2m", description="Age that an unused one has to reach.")
    parallel_pulls: int = Field(default=4, ge=1, le=64, description="Pulls at a time; images for GPUs are large.")


class Shutdown(_Part):
    """Time that pods get when the host shuts down: jobs write their last checkpoint."""

    grace: Duration = Field(default="5m", description="Time for all pods; systemd waits as long.")
    critical: Duration = Field(default="30s", description="The part of it that is kept for critical pods.")
