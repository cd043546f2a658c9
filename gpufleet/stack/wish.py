"""What an operator wants of a host's stack, in few words; the resolver turns it into exact packages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field


class Wish(BaseModel):
    """Versions and choices for one host; what is not given is left out, or chosen by the matrix.

    Roles contribute their own fields (`RoleOptions.wish`); the key `stack` of the inventory adds what no role
    installs, such as a kubelet that another tool manages.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    driver: str | None = Field(default=None, description="Branch such as `580`, or exact version such as `580.95.05`.")
    flavor: Literal["auto", "open", "proprietary"] = "auto"
    source: Literal["nvidia", "distribution"] = "distribution"
    profile: Literal["compute", "full"] = "compute"
    modules: Literal["dkms", "precompiled"] = "dkms"
    persistence: bool = True
    fabric_manager: str | None = Field(
        default=None, description="`auto` by hardware, `on`, `off`, or a version; None: no role."
    )
    imex: Literal["auto", "on", "off", "dra"] | None = None
    dcgm: str | None = Field(
        default=None, description="`auto`, a version, or `<version>-cuda<major>`; None: not wanted."
    )
    gdrcopy: str | None = Field(default=None, description="`auto` or a version; None: not wanted.")
    rdma: Literal["auto", "peermem", "dma-buf", "off"] | None = None
    cuda: tuple[str, ...] = Field(default=(), description="Toolkits side by side, such as `12.9` and `13.0`.")
    cuda_default: str | None = None
    cuda_compat: bool = False
    nccl: str | None = Field(default=None, description="`auto` or a version such as `2.28.3`; None: not wanted.")
    nccl_cuda: str | None = Field(
        default=None, description="CUDA version the library is built for, such as `13.0` or `13`."
    )
    rdma_stack: Literal["auto", "inbox", "doca"] | None = Field(
        default=None, description="Network stack for RDMA: the distribution's or DOCA-OFED; None: no role."
    )
    kernel: str | None = None
    ofed: str | None = None
    toolkit: str | None = Field(
        default=None, description="Version of NVIDIA's container toolkit, or `auto` where a role installs it."
    )
    toolkit_installed: bool = Field(default=False, description="Whether a role installs the container toolkit.")
    containerd: str | None = Field(default=None, description="Version, or `auto` where a role installs it.")
    containerd_source: Literal["distribution", "vendor"] | None = Field(
        default=None, description="Whose packages of containerd to install; None: no role installs it."
    )
    kubelet: str | None = None
    kube_apiserver: str | None = None
    kubernetes: str | None = Field(
        default=None, description="Version whose kubelet, kubeadm and kubectl to install; None: no role installs them."
    )

    @classmethod
    def merged(cls, parts: Mapping[str, Mapping[str, Any]]) -> Self:
        """Put the contributions together, by contributor; two that name one field differently raise ValueError."""
        merged: dict[str, tuple[str, Any]] = {}
        for contributor, fields in parts.items():
            for field, value in fields.items():
                before, earlier = merged.setdefault(field, (contributor, value))
                if earlier != value:
                    raise ValueError(f"{field}: {before} says {earlier!r}, {contributor} says {value!r}")
        return cls.model_validate({field: value for field, (_, value) in merged.items()})
