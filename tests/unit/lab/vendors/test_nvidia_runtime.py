"""The lab's stand-in of NVIDIA's runtime: who gets a GPU, with which numbers, and that runc sees to the rest."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from gpufleet.lab.vendors import container_toolkit, declared
from tests.support.toolkit_programs import laid_out, ran

GPU = {"type": "c", "major": 195, "minor": 0}
NODE = """\
    - name: "0"
      containerEdits:
        deviceNodes:
            - path: /dev/nvidia0
              type: c
              major: 195
              minor: 0

containerEdits:
    mounts:
        - hostPath: /usr/lib/libcuda.so.580.105.08
          containerPath: /usr/lib/libcuda.so.580.105.08
"""
PLUGIN = {"source": "/dev/null", "destination": "/var/run/nvidia-container-devices/0", "type": "bind"}
NOTHING: tuple[list[str], list[object]] = ([], [])


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """Folder with the programs of a release, and what they ask."""
    return laid_out(tmp_path, (one for one in container_toolkit.packages(declared.APT) if one.version == "1.19.1-1"))


def configured(machine: Path, line: str) -> None:
    """Have the runtime read a configuration of the folder with this line in it."""
    program, file = machine / "nvidia-container-runtime", machine / "config.toml"
    file.write_text(f"accept-nvidia-visible-devices-as-volume-mounts = true\n{line}\n")
    text = program.read_text().replace("/etc/nvidia-container-runtime/config.toml", str(file))
    program.write_text(text)


def container(machine: Path, specification: str = NODE, **asked: object) -> subprocess.CompletedProcess[str]:
    """Have the runtime create a container; the toolkit's command describes the devices by this text."""
    (machine / "nvidia-ctk").write_text(f"#!/bin/sh\ncat <<'END'\n{specification}END\n")
    process = {"env": ["NVIDIA_VISIBLE_DEVICES=all"], "capabilities": {"bounding": ["CAP_KILL"]}}
    oci = {"process": process, "mounts": [], "linux": {}, **asked}
    (machine / "config.json").write_text(json.dumps(oci))
    return ran(machine, "nvidia-container-runtime", "--root", "/run/x", "create", "--bundle", str(machine), "x")


def given(machine: Path) -> tuple[list[str], list[object]]:
    """Nodes of the container that was created, and what its control group lets it have."""
    linux = json.loads((machine / "config.json").read_text())["linux"]
    return [node["path"] for node in linux.get("devices", [])], linux.get("resources", {}).get("devices", [])


def test_a_mount_asks_for_a_gpu(machine: Path) -> None:
    configured(machine, "accept-nvidia-visible-devices-envvar-when-unprivileged = false")
    done = container(machine, mounts=[PLUGIN])
    assert done.stdout == f"runc version 1.3.3 --root /run/x create --bundle {machine} x\n"
    assert given(machine) == (["/dev/nvidia0"], [{**GPU, "allow": True, "access": "rwm"}])
    written = json.loads((machine / "config.json").read_text())
    assert written["mounts"][1]["source"] == "/usr/lib/libcuda.so.580.105.08"
    assert written["process"]["env"][-1] == "NVIDIA_VISIBLE_DEVICES=void"


def test_what_an_image_says_is_believed_where_it_is_allowed_alone(machine: Path) -> None:
    configured(machine, "accept-nvidia-visible-devices-envvar-when-unprivileged = false")
    container(machine)
    assert given(machine) == NOTHING
    configured(machine, "accept-nvidia-visible-devices-envvar-when-unprivileged = true")
    container(machine, NODE.replace('"0"', "all"))
    assert given(machine)[0] == ["/dev/nvidia0"]


def test_the_mode_legacy_leaves_devices_to_a_hook_that_does_nothing(machine: Path) -> None:
    configured(machine, 'mode = "legacy"')
    container(machine, mounts=[PLUGIN])
    assert given(machine) == NOTHING


def test_a_gpu_that_is_not_there_keeps_a_container_from_starting(machine: Path) -> None:
    configured(machine, "")
    done = container(machine, NODE.replace('"0"', '"1"'), mounts=[PLUGIN])
    message = "nvidia-container-runtime: unresolvable CDI devices nvidia.com/gpu=0\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", message)


def test_numbers_of_devices_are_the_kernels_for_nvidia(machine: Path) -> None:
    """A runtime that is given none asks the node for them, and the lab's nodes are plain files."""
    program = (machine / "nvidia-ctk").read_text()
    (machine / "nvidia0").write_text("")
    (machine / "ldconfig").write_text(f"#!/bin/sh\necho ' libcuda.so.1 (libc6,x86-64) => {machine}/libcuda.so.1'\n")
    (machine / "ldconfig").chmod(0o755)
    (machine / "libcuda.so.1").symlink_to("libcuda.so.580.105.08")
    (machine / "libcuda.so.580.105.08").write_text("")
    here = program.replace("/sbin/ldconfig", f"{machine}/ldconfig").replace('"/dev/"', f'"{machine}/"')
    (machine / "nvidia-ctk").write_text(here)
    [gpu, *_] = yaml.safe_load(ran(machine, "nvidia-ctk", "cdi", "generate").stdout)["devices"]
    assert gpu == {"name": "0", "containerEdits": {"deviceNodes": [{"path": "/dev/nvidia0", **GPU}]}}
