"""A host with NVIDIA's container toolkit as declared, in the answers that its checks read."""

from __future__ import annotations

from typing import Any

from gpufleet.containers.gpu_devices import SPECIFICATION
from gpufleet.containers.schema import ROOT_FILE
from gpufleet.operations.files import render
from gpufleet.stack.container_toolkit_choice import PACKAGES
from roles.container_toolkit.options import ContainerToolkit
from roles.container_toolkit.steps import (
    CONFIGURATION,
    DROP_IN,
    LINKS,
    REFRESH,
    RULE,
    UNIT,
    UNIT_FILE,
    WATCH,
    configuration_context,
)
from tests.support.runtime_answers import DAEMON, ROOT, answer

GIVEN: dict[str, Any] = {"version": "1.19.1"}
DATA, GONE = {"container_toolkit": GIVEN}, {"container_toolkit": {"state": "absent"}}
OPTIONS = ContainerToolkit.model_validate(GIVEN)
RUNTIME = """\
version = 3

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.nvidia]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.nvidia.options]
SystemdCgroup = true
BinaryName = "/usr/bin/nvidia-container-runtime"
"""
SPEC = f"""\
== {SPECIFICATION}
---
cdiVersion: 0.5.0
kind: nvidia.com/gpu
devices:
    - name: "0"
    - name: GPU-0a
    - name: GPU-0b
    - name: all
containerEdits:
    mounts:
        - hostPath: /usr/lib/x86_64-linux-gnu/libcuda.so.580.95.05
          containerPath: /usr/lib/x86_64-linux-gnu/libcuda.so.580.95.05"""
UNIT_STATE = """\
LoadState=loaded
ActiveState=active
UnitFileState=enabled
After=systemd-modules-load.service nvidia-persistenced.service basic.target
Before=containerd.service kubelet.service slurmd.service multi-user.target"""
CONTAINER = """\
unit cri-containerd-1f.scope
node c3 0 /proc/812/root/dev/nvidia0
node c3 ff /proc/812/root/dev/nvidiactl
DevicePolicy=strict
DeviceAllow=/dev/char/195:255 rw
DeviceAllow=/dev/char/195:0 rw
DeviceAllow=/dev/char/1:3 rwm
DeviceAllow=char-* m"""
GOOD = {
    "machine": 'os ID=debian\nos VERSION_ID="13"\narch x86_64\nkernel 6.12.107\n'
    "pci 0000:17:00.0 0x10de 0x2330 0x030200 0x10de 0x16c1\npci 0000:2a:00.0 0x10de 0x2330 0x030200 0x10de 0x16c1",
    "packages": "\n".join(f"installed {name} 1.19.1-1" for name in PACKAGES),
    "held": "\n".join(f"hold {name}" for name in PACKAGES),
    f"unit {UNIT}": UNIT_STATE,
    f"own files {UNIT}": f"/{UNIT_FILE}",
    f"unit {WATCH}": UNIT_STATE,
    f"own files {WATCH}": "",
    "reboot": "",
    "programs": """\
== nvidia-ctk
NVIDIA Container Toolkit CLI version 1.19.1
commit: 0123456789abcdef
== nvidia-cdi-hook
NVIDIA CDI Hook version 1.19.1
== nvidia-container-runtime
NVIDIA Container Runtime version 1.19.1
spec: 1.2.1

runc version 1.3.3
== nvidia-container-cli
cli-version: 1.19.1
lib-version: 1.19.1""",
    "configuration": render(CONFIGURATION, **configuration_context(OPTIONS)).strip(),
    "links program": render(LINKS).strip(),
    "unit file": render(UNIT_FILE, program=f"/{LINKS}", specification=SPECIFICATION, beside=REFRESH).strip(),
    "rule": render(RULE, unit=UNIT).strip(),
    "drop-in": RUNTIME.strip(),
    "trial": answer({ROOT_FILE: ROOT, f"/{DROP_IN}": RUNTIME}),
    "containerd": f"{DAEMON}\nChanged=1795415000",
    "devices": "driver 580.95.05\nGPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-0a)\n"
    "GPU 1: NVIDIA H100 80GB HBM3 (UUID: GPU-0b)\nGPU-0a, Disabled\nGPU-0b, Disabled",
    "specifications": SPEC,
    "links": """\
node c3 0 /dev/nvidia0
node c3 ff /dev/nvidiactl
node 1fa 0 /dev/nvidia-caps/nvidia-cap0
link 195:0 /dev/nvidia0
link 195:255 ../nvidiactl
link 506:0 /dev/nvidia-caps/nvidia-cap0
link 506:1 /dev/nvidia-caps/nvidia-cap1
leads /dev/char/195:0 c3 0
leads /dev/char/195:255 c3 ff
leads /dev/char/506:0 1fa 0""",
    "containers": CONTAINER,
    "driver": "NVRM version:   580.95.05\nCUDA version:   13.0\n\nDevice Index:   0",
}
NONE = {
    **dict.fromkeys(GOOD, ""),
    "machine": GOOD["machine"],
    f"unit {UNIT}": "LoadState=not-found\nActiveState=inactive\nUnitFileState=\nAfter=\nBefore=",
    f"unit {WATCH}": "LoadState=not-found\nActiveState=inactive\nUnitFileState=\nAfter=\nBefore=",
    "containerd": "LoadState=not-found\nActiveState=inactive",
    "devices": GOOD["devices"],
}


def changed(section: str, old: str, new: str) -> dict[str, str]:
    """Return a section with another text in it."""
    assert old in GOOD[section]
    return {section: GOOD[section].replace(old, new)}
