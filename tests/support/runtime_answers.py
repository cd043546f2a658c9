"""A host with containerd as declared, in the answers that its checks read."""

from __future__ import annotations

from typing import Any

from gpufleet.containers.configuration import rendered
from gpufleet.containers.schema import ROOT_FILE
from gpufleet.operations.files import render
from roles.container_runtime.options import ContainerRuntime
from roles.container_runtime.steps import CRICTL, DROP_IN, SOCKET, registry_texts, unit_context
from tests.support.imagined_containerd import trial

GIVEN: dict[str, Any] = {
    "source": "vendor",
    "version": "2.2.6",
    "root": "/data/containerd",
    "filesystem": "/data",
    "registries": {"nvcr.io": {"mirrors": [{"url": "https://mirror.example.org"}]}},
}
DATA, GONE = {"container_runtime": GIVEN}, {"container_runtime": {"state": "absent"}}
OPTIONS = ContainerRuntime.model_validate(GIVEN)
ROOT = rendered(OPTIONS.settings, "2.2.6")
MIRROR = "/etc/containerd/certs.d/nvcr.io/hosts.toml"
NVIDIA = "/etc/containerd/conf.d/99-nvidia.toml"


def answer(files: dict[str, str]) -> str:
    """The fact's answer for these files."""
    found = trial("2.2.6", files)
    parts = [f"== file {path}\n{text}" for path, text in found.files.items()]
    said = "".join(f"{line}\n" for line in found.said)
    parts += [f"== dump\n{found.dump}", f"== code {found.code}", f"== said\n{said}", f"== default\n{found.default}"]
    return "\n".join(parts)


DAEMON = """\
LoadState=loaded
ActiveState=active
UnitFileState=enabled
NeedDaemonReload=no
FragmentPath=/usr/lib/systemd/system/containerd.service
DropInPaths=/etc/systemd/system/containerd.service.d/gpufleet.conf
ActiveEnterTimestamp=Mon 2026-11-23 06:33:41 UTC
DropIn=/etc/systemd/system/containerd.service.d/gpufleet.conf"""
#: As ctr of containerd 2.2 prints them.
SERVER = "Client:\n  Version:  2.2.6\n\nServer:\n  Version:  2.2.6\n  Revision: x\n  UUID: y"
PLUGINS = """\
TYPE                                      ID                       PLATFORMS         STATUS
io.containerd.content.v1                  content                  -                 ok
io.containerd.cri.v1                      images                   -                 ok
io.containerd.cri.v1                      runtime                  linux/amd64       ok
io.containerd.grpc.v1                     cri                      linux/amd64       ok
io.containerd.snapshotter.v1              btrfs                    linux/amd64       skip"""
LIMITS = """\
Limit                     Soft Limit           Hard Limit           Units
Max locked memory         unlimited            unlimited            bytes
Max open files            1048576              1048576              files"""
LESS = LIMITS.replace("unlimited            unlimited ", "8388608              8388608   ")
GOOD = {
    "machine": 'os ID=debian\nos VERSION_ID="13"\narch x86_64\nkernel 6.12.107',
    "packages": "installed containerd.io 2.2.6-1~debian.13~trixie\ninstalled containernetworking-plugins 1.1.1+ds1-3",
    "held": "hold containerd.io",
    "daemon": DAEMON,
    "changed": "Changed=1795415000",
    "server": SERVER,
    "plugins": PLUGINS,
    "trial": answer({ROOT_FILE: ROOT}),
    "unit file": render(DROP_IN, **unit_context(OPTIONS)).strip(),
    "limits": LIMITS,
    "own limits": LIMITS,
    "capabilities": "000001ffffffffff",
    "tasks": "infinity",
    "registries": f"== {MIRROR}\n{registry_texts(OPTIONS)['nvcr.io']}".strip(),
    "own registries": MIRROR,
    "crictl file": render(CRICTL, socket=SOCKET).strip(),
    "crictl": "Version:  0.1.0\nRuntimeName:  containerd\nRuntimeVersion:  2.2.6\nRuntimeApiVersion:  v1",
    "runc": "runc version 1.3.3",
    "network plugins": "bridge\nhost-local\nloopback\nportmap",
    "unlinked": "",
    "filesystem": "root /data/containerd\n/data",
}
NONE = {**dict.fromkeys(GOOD, ""), "machine": GOOD["machine"], "daemon": "LoadState=not-found\nActiveState=inactive",
        "capabilities": "0"}  # fmt: skip


def changed(section: str, old: str, new: str) -> dict[str, str]:
    assert old in GOOD[section]
    return {section: GOOD[section].replace(old, new)}
