"""Arguments of the kernel, as boot loaders' files and tools say them, and the drop-in for GRUB."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from gpufleet.facts.boot_loader import BootLoader, BootLoaderArguments
from gpufleet.operations.boot_loader import grub_drop_in

MENU = """menuentry 'Debian' {
	linux	/vmlinuz-6.1 root=/dev/sda1 ro quiet iommu=pt
	initrd	/initrd.img-6.1
}
menuentry 'another system' {
	linux /boot/vmlinuz root=/dev/sdb1
}
"""
GRUBBY = """index=0
kernel="/boot/vmlinuz-5.14"
args="ro crashkernel=1G-4G:192M quiet iommu=pt"
root="/dev/mapper/rl-root"
index=1
kernel="/boot/vmlinuz-0-rescue"
args="ro crashkernel=1G-4G:192M"
"""


def read(root: Path, tool: str, says: str = "") -> BootLoader:
    """Run the fact's command with a folder in the place of the root and one tool there."""
    (root / "bin").mkdir()
    (root / "bin" / tool).write_text(f"#!/bin/sh\ncat <<'END'\n{says}END\n")
    (root / "bin" / tool).chmod(0o755)
    text = BootLoaderArguments().command(key="gpufleet-infiniband")
    for folder in ("/etc/", "/boot/", "/proc/cmdline"):
        text = text.replace(folder, f"{root}{folder}")
    environment = {**os.environ, "PATH": f"{root}/bin:/usr/bin:/bin"}
    done = subprocess.run(["sh", "-c", text], capture_output=True, text=True, check=True, env=environment)
    return BootLoaderArguments().process(done.stdout.splitlines())


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    put(tmp_path / "proc/cmdline", "BOOT_IMAGE=/vmlinuz-6.1 root=/dev/sda1 quiet\n")
    return tmp_path


RUNNING = ("BOOT_IMAGE=/vmlinuz-6.1", "root=/dev/sda1", "quiet")


def test_grub(root: Path) -> None:
    put(root / "boot/grub/grub.cfg", MENU)
    put(root / "etc/default/grub.d/gpufleet-infiniband.cfg", grub_drop_in(["iommu=pt", "pci=realloc"]))
    found = read(root, "update-grub")
    assert (found.tool, found.recorded, found.running) == ("update-grub", ("iommu=pt", "pci=realloc"), RUNNING)
    assert [entry[-1] for entry in found.entries] == ["iommu=pt", "root=/dev/sdb1"]


def test_grubby(root: Path) -> None:
    put(root / "etc/gpufleet/kernel-arguments/gpufleet-infiniband.conf", '# x\nARGUMENTS="iommu=pt"\n')
    found = read(root, "grubby", GRUBBY)
    entries = (("ro", "crashkernel=1G-4G:192M", "quiet", "iommu=pt"), ("ro", "crashkernel=1G-4G:192M"))
    assert found == BootLoader("grubby", ("iommu=pt",), entries, RUNNING)


def test_neither(root: Path) -> None:
    assert read(root, "lilo") == BootLoader(running=RUNNING)


@pytest.mark.parametrize("before", ["", "quiet"])
def test_the_drop_in_adds_to_what_grub_has(tmp_path: Path, before: str) -> None:
    """grub-mkconfig reads its files with the shell, and so does this test."""
    file = tmp_path / "gpufleet-infiniband.cfg"
    file.write_text(grub_drop_in(["iommu=pt", "pci=disable_acs_redir=pci:15b3:1976"]))
    script = f'GRUB_CMDLINE_LINUX="{before}"; . {file}; printf %s "$GRUB_CMDLINE_LINUX"'
    done = subprocess.run(["sh", "-euc", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [*before.split(), "iommu=pt", "pci=disable_acs_redir=pci:15b3:1976"]
