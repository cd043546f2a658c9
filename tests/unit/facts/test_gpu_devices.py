"""Scripts about NVIDIA's devices and containers, run by a shell on folders and programs that stand in for a host's."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from gpufleet.containers.gpu_devices import Devices, Links, Specification
from gpufleet.facts.gpu_containers import GpuContainer, GpuContainers, RuntimeTasks
from gpufleet.facts.gpu_devices import DeviceLinks, GpuDevices, GpuSpecifications

PLACES = re.compile(r"(?<![\w}])(/sys/|/proc/|/dev/|/etc/cdi|/var/run/cdi|/run/containerd)")
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
    (tmp_path / "dev/char/195:0").symlink_to(tmp_path / "dev/nvidia0")
    (tmp_path / "dev/char/195:255").symlink_to("../nvidiactl")
    (tmp_path / "dev/char/195:1").symlink_to(tmp_path / "run/nvidia/driver/dev/nvidia1")
    (tmp_path / "dev/char/1:3").symlink_to("/dev/null")
    found = DeviceLinks().process(said(DeviceLinks().command(), tmp_path))
    assert found == Links(
        {"/dev/nvidia0": "", "/dev/nvidiactl": "", "/dev/nvidia-caps/nvidia-cap1": ""},
        {"195:0": "/dev/nvidia0", "195:255": "/dev/nvidiactl"},
    )


def test_links_count_that_lead_to_a_device_of_their_numbers(tmp_path: Path) -> None:
    """/dev/null stands for NVIDIA's devices: links may lead to it under any name, as to a driver's container's node."""
    (tmp_path / "dev/char").mkdir(parents=True)
    (tmp_path / "run/nvidia").mkdir(parents=True)
    (tmp_path / "run/nvidia/nvidia0").symlink_to("/dev/null")
    for name in ("1:3", "1:5"):
        (tmp_path / "dev/char" / name).symlink_to(tmp_path / "run/nvidia/nvidia0")
    found = DeviceLinks().process(said(DeviceLinks().command(), tmp_path))
    assert found == Links({}, {"1:3": "/run/nvidia/nvidia0"})


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


def test_tasks_of_a_runtime(tmp_path: Path) -> None:
    """By the program's name in any folder, while the first process lives; a pod is named once, its sandbox included."""
    folder = "run/containerd/io.containerd.runtime.v2.task"
    pod = '{"annotations":{"io.kubernetes.cri.sandbox-name":"llama-0","io.kubernetes.cri.sandbox-namespace":"train"}}'
    rows = {
        "k8s.io/1f": ("/usr/bin/nvidia-container-runtime", "812", pod),
        "k8s.io/2e": ("/usr/bin/nvidia-container-runtime", "813", pod),
        "k8s.io/3d": ("", "812", pod),
        "k8s.io/4c": ("/usr/bin/nvidia-container-runtime-hook", "812", pod),
        "k8s.io/5b": ("/usr/bin/nvidia-container-runtime", "999", pod.replace("llama-0", "gone")),
        "moby/6a": ("nvidia-container-runtime", "812", "{}"),
    }
    command = RuntimeTasks().command("nvidia-container-runtime")
    assert RuntimeTasks().process(said(command, tmp_path)) == []
    for task, (program_of, process, text) in rows.items():
        for name, content in {"runtime": program_of, "init.pid": process, "config.json": text}.items():
            put(tmp_path, f"{folder}/{task}/{name}", content)
    for process in ("812", "813"):
        (tmp_path / "proc" / process).mkdir(parents=True)
    assert RuntimeTasks().process(said(command, tmp_path)) == ["moby/6a", "train/llama-0"]
