"""What an operator says of containerd, whatever the schema of its file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """Settings of the root file; paths are absolute."""

    sandbox_image: str
    #: Directory of images, containers and snapshots, and of what goes with a reboot.
    root: str = "/var/lib/containerd"
    state: str = "/run/containerd"
    snapshotter: str = "overlayfs"
    systemd_cgroup: bool = True
    #: Whether containers keep the score of containerd where a lower one is refused, as in containers of containers.
    restrict_oom_score_adj: bool = False
    #: Container Device Interface: devices by name, from specifications in these directories.
    cdi: bool = True
    cdi_spec_dirs: tuple[str, ...] = ("/etc/cdi", "/var/run/cdi")
