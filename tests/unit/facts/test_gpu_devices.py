"""Scripts about NVIDIA's devices and containers, run by a shell on folders and programs that stand in for a host's."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from gpufleet.containers.gpu_devices import Devices, Links, Specification
from gpufleet.facts.gpu_containers import GpuContainer, GpuContainers
from gpufleet.facts.gpu_devices import DeviceLinks, GpuDevices, GpuSpecifications

PLACES = re.compile(r"(?<![\w}])(/sys/|/proc/|/dev/|/etc/cdi|/var/run/cdi)")
SYSTEMCTL = """\
#!/bin/sh
case "$*" in
    list-units*) printf 'cri-containerd-1f.scope loaded active\\ndocker-2e.scope loaded active\\n' ;;
    *ControlGroup*1f*) echo /kubepods/1f ;;
    *ControlGroup*2e*) echo /docker/2e ;;
    *) printf 'DevicePolicy=strict\\nDeviceAllow=/dev/char/1:3 rw\\nDeviceAllow=char-pts rwm\\n' ;;
esac
"""
SMI = """\
#!/bin/sh
case "$1" in -L) echo "GPU 0: NVIDIA L40S (UUID: GPU-0a)" ;; *) echo "GPU-0a, [N/A]" ;; esac
"""


def said(command: str, root: Path) -> list[str]:
    """Run a command on a folder in the place of the host's root."""
    text = PLACES.sub(lambda match: f"{root}{match[0]}", command).replace(f"2>{root}/dev/null", "2>/dev/null")
    path = f"{root}/bin:/usr/bin:/bin"
    done = subprocess.run(["sh", "-c", text], env={"PATH": path}, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout.replace(str(root), "").splitlines()


def program(root: Path, name: str, text: str) -> None:
    """Put a program into the folder."""
    (root / "bin").mkdir(exist_ok=True)
    (root / "bin" / name).write_text(text)
    (root / "bin" / name).chmod(0o755)


def put(root: Path, path: str, text: str = "") -> None:
    """Put a file into the folder."""
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def test_devices(tmp_path: Path) -> None:
    assert GpuDevices().process(said(GpuDevices().command(), tmp_path)) == Devices()
    put(tmp_path, "sys/module/nvidia/version", "580.95.05\n")
    program(tmp_path, "nvidia-smi", SMI)
    assert GpuDevices().process(said(GpuDevices().command(), tmp_path)) == Devices("580.95.05", ("GPU-0a",))


def test_specifications(tmp_path: Path) -> None:
    assert GpuSpecifications().process(said(GpuSpecifications().command(), tmp_path)) == {}
    put(tmp_path, "etc/cdi/gpufleet-nccl.json", '{"kind": "gpufleet.io/nccl", "devices": [{"name": "conf"}]}')
    put(tmp_path, "etc/cdi/nvidia.json", '{\n  "kind": "nvidia.com/gpu",\n  "devices": [{"name": "all"}]\n}\n')
    put(tmp_path, "etc/cdi/other.yaml", "kind: nvidia.com/gpu-other\ndevices: [{name: x}]\n")
    put(tmp_path, "var/run/cdi/nvidia.yaml", 'kind: "nvidia.com/gpu"\ndevices: [{name: GPU-0a}]\n')
    assert GpuSpecifications().process(said(GpuSpecifications().command(), tmp_path)) == {
        "/etc/cdi/nvidia.json": Specification(("all",)),
        "/var/run/cdi/nvidia.yaml": Specification(("GPU-0a",)),
    }


def test_links(tmp_path: Path) -> None:
    (tmp_path / "dev").mkdir()
    assert DeviceLinks().process(said(DeviceLinks().command(), tmp_path)) == Links()
    for name in ("nvidia0", "nvidiactl", "nvidia-caps/nvidia-cap1", "nvidia-fs0", "nvidia-nvswitch0"):
        put(tmp_path, f"dev/{name}")
    (tmp_path / "dev/char").mkdir()
    (tmp_path / "dev/char/195:0").symlink_to("/dev/nvidia0")
    (tmp_path / "dev/char/195:255").symlink_to("../nvidiactl")
    (tmp_path / "dev/char/1:3").symlink_to("/dev/null")
    found = DeviceLinks().process(said(DeviceLinks().command(), tmp_path))
    assert found == Links(
        {"/dev/nvidia0": "", "/dev/nvidiactl": "", "/dev/nvidia-caps/nvidia-cap1": ""},
        {"195:0": "/dev/nvidia0", "195:255": "/dev/nvidiactl"},
    )


def test_numbers_are_a_real_devices() -> None:
    command = DeviceLinks().command().replace("/dev/nvidia*", "/dev/nul[l]")
    output = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True).stdout.splitlines()
    assert DeviceLinks().process(output).nodes["/dev/null"] == "1:3"


@pytest.mark.parametrize("hierarchy", ["", "systemd/"])
def test_containers(tmp_path: Path, hierarchy: str) -> None:
    """With one hierarchy of control groups, and with several; a container without GPUs is none of them."""
    program(tmp_path, "systemctl", SYSTEMCTL)
    put(tmp_path, f"sys/fs/cgroup/{hierarchy}kubepods/1f/cgroup.procs", "812\n813\n")
    put(tmp_path, f"sys/fs/cgroup/{hierarchy}docker/2e/cgroup.procs", "901\n")
    for name in ("nvidia0", "nvidiactl", "null"):
        put(tmp_path, f"proc/812/root/dev/{name}")
    put(tmp_path, "proc/901/root/dev/null")
    found = GpuContainers().process(said(GpuContainers().command(), tmp_path))
    devices = {"/dev/nvidia0": "", "/dev/nvidiactl": ""}
    assert found == [GpuContainer("cri-containerd-1f.scope", devices, "strict", ("/dev/char/1:3", "char-pts"))]
