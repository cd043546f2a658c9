"""The program that keeps links to NVIDIA's devices right, run on folders that stand for /dev/char, /dev and /proc.

/dev/null and /dev/zero, 1:3 and 1:5, stand for NVIDIA's devices: links lead to them by way of NVIDIA's names.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from gpufleet.operations.files import render
from roles.container_toolkit.steps import LINKS

CAPS = "/dev/nvidia-caps/nvidia-cap"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A host with two devices and without links; its driver knows no capabilities."""
    for folder in ("dev/char", "run/nvidia/driver/dev", "proc/driver/nvidia-caps"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "dev/nvidia0").symlink_to("/dev/null")
    (tmp_path / "dev/nvidia-uvm").symlink_to("/dev/zero")
    (tmp_path / "proc/devices").write_text("Character devices:\n  1 mem\n195 nvidia\n")
    return tmp_path


def links_after(root: Path, **links: str) -> dict[str, str]:
    """Make links, named like `c1_3`, run the program, and return the links that are there then."""
    for name, target in links.items():
        (root / "dev/char" / name[1:].replace("_", ":")).symlink_to(target.replace("@", str(root)))
    text = render(LINKS)
    for folder in ("/dev/char", "/proc/"):
        assert folder in text
        text = text.replace(folder, f"{root}{folder}")
    (root / "program").write_text(text)
    done = subprocess.run(["/bin/sh", str(root / "program")], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return {path.name: str(path.readlink()).replace(str(root), "@") for path in sorted((root / "dev/char").iterdir())}


@pytest.mark.parametrize(
    "target",
    [
        "@/run/nvidia/driver/dev/nvidia0",
        "../nvidia1",
        "@/dev/nvidia-uvm",
        "@/proc/driver/nvidia-caps",
    ],
    ids=["of a driver's container that is gone", "of an unloaded driver", "of other numbers", "no device"],
)
def test_a_link_that_is_wrong_makes_way(root: Path, target: str) -> None:
    assert links_after(root, c1_3=target) == {}


def test_majors_that_changed_places(root: Path) -> None:
    assert links_after(root, c1_3="@/dev/nvidia-uvm", c1_5="@/dev/nvidia0") == {}


def test_links_that_lead_right_stay_the_same_files(root: Path) -> None:
    (root / "run/nvidia/driver/dev/nvidia-uvm").symlink_to("/dev/zero")
    right = {"c1_3": "../nvidia0", "c1_5": "@/run/nvidia/driver/dev/nvidia-uvm"}
    expected = {"1:3": "../nvidia0", "1:5": "@/run/nvidia/driver/dev/nvidia-uvm"}
    assert links_after(root, **right) == expected
    before = {path.name: path.lstat().st_ino for path in (root / "dev/char").iterdir()}
    assert links_after(root) == expected
    assert {path.name: path.lstat().st_ino for path in (root / "dev/char").iterdir()} == before


def test_links_of_others_are_left_alone(root: Path) -> None:
    """Whatever they lead to; udev sees to them."""
    assert links_after(root, c8_0="../gone", c1_5="/dev/null") == {"1:5": "/dev/null", "8:0": "../gone"}


def test_capabilities_have_links_before_they_have_nodes(root: Path) -> None:
    """Those of MIG are left to `nvidia-ctk --create-all`; a link that something else has is left to that."""
    (root / "proc/devices").write_text("Character devices:\n  1 mem\n506 nvidia-caps\n507 nvidia-caps-imex-channels\n")
    caps = root / "proc/driver/nvidia-caps"
    (caps / "nvlink-minors").write_text("fabric-mgmt 0\n")
    (caps / "mig-minors").write_text("config 1\nmonitor 2\n")
    expected = {"506:0": f"{CAPS}0"}
    assert links_after(root) == expected  # a driver of before IMEX
    (caps / "sys-minors").write_text("fabric-imex-mgmt 4323\nprofiler-device 4324\n")
    expected |= {"506:4323": f"{CAPS}4323", "506:4324": "../other"}
    assert links_after(root, c506_4324="../other") == expected
    assert links_after(root) == expected


def test_without_a_folder_of_links(root: Path) -> None:
    (root / "dev/char").rmdir()
    assert links_after(root) == {}
