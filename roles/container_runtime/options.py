"""Options of the role `container_runtime`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from gpufleet.containers.registries import Registry
from gpufleet.containers.settings import Settings
from gpufleet.options import RoleOptions

Limit = Annotated[str, StringConstraints(pattern=r"^(infinity|[1-9][0-9]*)$")]
#: A registry's host and port, or `_default` for all others.
_REGISTRY = re.compile(r"_default|[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?")


def _directory(path: str) -> str:
    given = PurePosixPath(path)
    if not given.is_absolute() or str(given) != path or ".." in given.parts or re.search(r"[\s#%\"'\\]", path):
        raise ValueError(f"expected a whole path of plain characters, found {path!r}; write it like /data/containerd")
    return path


Directory = Annotated[str, AfterValidator(_directory)]


class Limits(BaseModel):
    """Limits of the service, which its containers inherit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    memlock: Limit = Field(
        default="infinity", description="Bytes that containers may lock; RDMA adapters reach locked memory alone."
    )
    nofile: Limit = Field(default="1048576", description="Files that a container's process may have open.")
    tasks: Limit = Field(default="infinity", description="Processes and threads below containerd itself.")


class ContainerRuntime(RoleOptions, key="container_runtime"):
    """containerd, its configuration and what it needs beside it."""

    state: Literal["present", "absent"] = Field(
        "present", description="Install it, or remove it with its configuration; its data stay."
    )
    source: Literal["distribution", "vendor"] = Field(
        "distribution", description="The distribution's own package, or `containerd.io` of Docker's repository."
    )
    version: str = Field(
        "auto", description="`auto` takes the newest that the matrix knows for the kubelet; else one like `2.2.6`."
    )
    sandbox_image: str = Field(
        "registry.k8s.io/pause:3.10.2",
        pattern=r'^[^\s"]+[:@][^\s"]+$',
        description="Image of the process that holds a pod's namespaces; the one that the cluster's kubeadm names.",
    )
    root: Directory = Field("/var/lib/containerd", description="Directory of images, containers and snapshots.")
    filesystem: Directory | None = Field(
        None, description="Where the file system of that directory must be mounted; a host without it is refused."
    )
    snapshotter: Literal["overlayfs", "native", "btrfs", "zfs"] = Field(
        "overlayfs", description="How layers of images are put on top of each other."
    )
    systemd_cgroup: bool = Field(True, description="Leave control groups to systemd, as the kubelet does.")
    restrict_oom_score_adj: bool = Field(
        False, description="Keep containerd's own score where the kernel refuses a lower one, as in nested containers."
    )
    cdi: bool = Field(True, description="Devices by name (Container Device Interface); containerd 1.6 has none.")
    cdi_spec_dirs: list[Directory] = Field(
        ["/etc/cdi", "/var/run/cdi"], min_length=1, description="Where the specifications of devices lie."
    )
    registries: dict[str, Registry] = Field(
        {}, description="Mirrors by registry, such as `nvcr.io`; `_default` stands for all that are not named."
    )
    limits: Limits = Field(default_factory=Limits, description="Limits of the service.")
    install_timeout: int = Field(1800, gt=0, description="Seconds one package installation may take.")

    @field_validator("version")
    @classmethod
    def _version_is_exact(cls, version: str) -> str:
        if not re.fullmatch(r"auto|\d+\.\d+\.\d+", version):
            raise ValueError(f"expected `auto` or a version, found {version!r}; write it like 2.2.6")
        return version

    @field_validator("registries")
    @classmethod
    def _registries_are_hosts(cls, registries: dict[str, Registry]) -> dict[str, Registry]:
        for name in registries:
            if not _REGISTRY.fullmatch(name):
                raise ValueError(f"expected a registry's host, found {name!r}; write it like nvcr.io, without a scheme")
        return registries

    @model_validator(mode="after")
    def _root_is_on_its_filesystem(self) -> Self:
        if self.filesystem and not PurePosixPath(self.root).is_relative_to(self.filesystem):
            raise ValueError(f"expected root below {self.filesystem}, found {self.root}; correct one of the two")
        return self

    @property
    def settings(self) -> Settings:
        """What the root file says."""
        return Settings(
            sandbox_image=self.sandbox_image,
            root=self.root,
            snapshotter=self.snapshotter,
            systemd_cgroup=self.systemd_cgroup,
            restrict_oom_score_adj=self.restrict_oom_score_adj,
            cdi=self.cdi,
            cdi_spec_dirs=tuple(self.cdi_spec_dirs),
        )

    def wish(self) -> Mapping[str, Any]:
        """Return the release and whose packages, if any."""
        if self.state == "absent":
            return {}
        return {"containerd": self.version, "containerd_source": self.source}
