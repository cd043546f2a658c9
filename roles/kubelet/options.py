"""Options of the role `kubelet`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, field_validator, model_validator

from gpufleet.kubernetes import names
from gpufleet.kubernetes.data import ClusterData
from gpufleet.kubernetes.join import OLDEST
from gpufleet.kubernetes.names import LabelKey, LabelValue, Taint
from gpufleet.options import Named, RoleOptions
from gpufleet.stack.versions import numbers
from roles.kubelet.groups import Eviction, Images, Join, Managers, Place, Reserved, Shutdown

#: What a kubelet with `protectKernelDefaults` finds or does not start: kubelet 1.36.3,
#: pkg/kubelet/cm/container_manager_linux.go, setupKernelTunables.
DEMANDED = {
    "kernel.keys.root_maxbytes": 25000000,
    "kernel.keys.root_maxkeys": 1000000,
    "kernel.panic": 10,
    "kernel.panic_on_oops": 1,
    "vm.overcommit_memory": 1,
    "vm.panic_on_oom": 0,
}
#: That, and what pods' networks need.
SYSCTL = {
    "net.bridge.bridge-nf-call-ip6tables": 1,
    "net.bridge.bridge-nf-call-iptables": 1,
    "net.ipv4.ip_forward": 1,
    **DEMANDED,
}
HUGE_PAGES = "vm.nr_hugepages"
ModuleName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+$")]
SysctlKey = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+(\.[A-Za-z0-9_/-]+)+$")]
NodeName = Annotated[str, AfterValidator(names.node_name)]
Endpoint = Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\]):[0-9]{1,5}$")]


class Kubelet(RoleOptions, key="kubelet"):
    """A node of Kubernetes: kubelet and kubeadm at one version, configured for GPU work, in a cluster."""

    state: Literal["present", "absent"] = Field("present", description="Make it a node, or leave a clean host.")
    version: str | None = Field(None, description="Exact version, such as `1.36.3`.")
    api_server: Endpoint | None = Field(None, description="Host and port of the API server, such as `10.0.0.1:6443`.")
    api_server_version: str | None = Field(
        None,
        description="Its version, which is then judged before any connection; else it is asked by every host, and "
        "needed here where it is not told.",
    )
    join: Join | None = Field(None, description="How the host joins; none leaves a host that has not joined as it is.")
    node_name: NodeName | None = Field(None, description="Name of the node; none takes the inventory's.")
    labels: dict[LabelKey, LabelValue] = Field(
        {}, description="More labels; one that is taken out here stays on the node."
    )
    place: Place = Field(default_factory=Place, description="Where it stands, as labels.")
    taints: list[Taint] = Field([], description="More taints, set when the node registers.")
    preflight: bool = Field(
        True, description="Register with gpufleet's own taint, which `gpufleet verify` lifts once every check passed."
    )
    reserved: Reserved = Field(default_factory=Reserved, description="What is kept from pods.")
    managers: Managers = Field(default_factory=Managers, description="How resources are given to pods.")
    eviction: Eviction = Field(default_factory=Eviction, description="When pods are ended.")
    images: Images = Field(default_factory=Images, description="Images of containers.")
    shutdown: Shutdown = Field(default_factory=Shutdown, description="Time for pods when the host shuts down.")
    swap: Literal["off", "limited", "host"] = Field(
        "off", description="None at all; for burstable pods too; or for the host's own processes alone."
    )
    hugepages: int | None = Field(None, ge=0, description="Huge pages of the default size (2 MiB); none leaves them.")
    modules: list[ModuleName] = Field(["overlay", "br_netfilter"], description="Kernel modules, now and at boot.")
    sysctl: dict[SysctlKey, int] = Field(
        SYSCTL,
        description="Kernel settings; a dictionary given here replaces the whole default set, of which "
        "`protect_kernel_defaults` demands some.",
    )
    protect_kernel_defaults: bool = Field(
        True, description="Have the kubelet refuse a kernel that is set otherwise, rather than set it."
    )
    fail_cgroup_v1: bool = Field(True, description="Have the kubelet refuse hosts with cgroup v1.")
    serving_certificate: bool = Field(
        False, description="Ask the cluster for the kubelet's own certificate; somebody must approve each request."
    )
    max_pods: int = Field(110, ge=1, le=1024, description="Pods on the node.")
    pod_pids: int = Field(-1, ge=-1, description="Processes in one pod; -1 for no limit.")
    feature_gates: dict[str, bool] = Field({}, description="Feature gates of the kubelet.")
    runtime: str = Field(
        "unix:///run/containerd/containerd.sock", pattern=r"^unix:///.+", description="The container runtime's socket."
    )
    clock_tolerance: int = Field(60, ge=1, le=3600, description="Seconds that the API server's clock may be apart.")
    undrained_reset: bool = Field(False, description="With `state: absent`: also where pods of users run.")
    install_timeout: int = Field(1800, gt=0, description="Seconds one package installation may take.")

    @field_validator("version", "api_server_version")
    @classmethod
    def _version_is_exact(cls, version: str | None) -> str | None:
        if version is not None and not re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+", version):
            raise ValueError(f"expected a version, found {version!r}; write it like 1.36.3")
        return version

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.state == "absent":
            return self
        if self.version is None:
            raise ValueError("expected version, found none; name the kubelet's, such as 1.36.3")
        if numbers(self.version)[:2] < OLDEST:
            oldest = ".".join(map(str, OLDEST))
            raise ValueError(f"expected version {oldest} or newer, found {self.version}; older ones join otherwise")
        if self.join is not None and self.api_server is None:
            raise ValueError("expected api_server with join, found none; name its host and port")
        return self

    @model_validator(mode="after")
    def _kernel_is_as_the_kubelet_demands(self) -> Self:
        if self.state == "absent" or not self.protect_kernel_defaults:
            return self
        if wrong := [key for key, value in DEMANDED.items() if self.sysctl.get(key) != value]:
            wanted = ", ".join(f"{key} = {DEMANDED[key]}" for key in wrong)
            found = ", ".join(f"{key} = {self.sysctl[key]}" if key in self.sysctl else f"no {key}" for key in wrong)
            cure = "the kubelet starts with no others; set them so, or protect_kernel_defaults: False"
            raise ValueError(f"expected {wanted} in sysctl, found {found}; {cure}")
        return self

    @field_validator("labels")
    @classmethod
    def _kubelet_may_set_them(cls, labels: dict[str, str]) -> dict[str, str]:
        if refused := [key for key in labels if not names.kubelet_may_set(key)]:
            cure = "set them by the API, or choose keys of another domain"
            raise ValueError(f"expected labels that a kubelet may give its node, found {', '.join(refused)}; {cure}")
        return labels

    @property
    def all_taints(self) -> tuple[Taint, ...]:
        """Taints at registration, gpufleet's own first."""
        return (*([names.PREFLIGHT] if self.preflight else []), *self.taints)

    @property
    def sysctl_text(self) -> dict[str, str]:
        """Kernel settings as the kernel prints them, in the order of their names."""
        pages = {} if self.hugepages is None else {HUGE_PAGES: self.hugepages}
        return {key: str(value) for key, value in sorted({**self.sysctl, **pages}.items())}

    def wish(self) -> Mapping[str, Any]:
        """Return the versions, which are held against containerd's and the API server's."""
        if self.state == "absent":
            return {}
        return {"kubernetes": self.version, "kubelet": self.version, "kube_apiserver": self.api_server_version}

    def claims(self, host: Named) -> Iterable[tuple[str, str]]:
        """Return the node in its cluster: a verification of one host must not let in, or shut out, another one's."""
        if self.state == "present":
            cluster = ClusterData.of(host).described
            yield "kubelet.node_name", f"node {self.node_name or host.name} in the cluster of {cluster}"

    def node(self, name: str) -> str:
        """Return the node's name on a host of this name in the inventory; raises ValueError for one not allowed."""
        return self.node_name or names.node_name(name)
