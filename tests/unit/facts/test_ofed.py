"""Builds of DKMS and builds that the kernel runs, read by the facts' own commands from folders of the test."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from gpufleet.facts.ofed import Build, DkmsBuilds, ReplacedModules

KERNEL = "6.8.0-60-generic"


def run(root: Path, command: str) -> list[str]:
    """Run a command with a folder in the place of the root, and its programs before the others."""
    for folder in ("/var/lib", "/sys/"):
        command = command.replace(folder, f"{root}{folder}")
    environment = {**os.environ, "PATH": f"{root}/bin:{os.environ['PATH']}"}
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True, env=environment)
    assert done.stderr == ""
    return done.stdout.splitlines()


def put(path: Path, text: str, moment: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (moment, moment))


def test_builds_for_one_kernel(tmp_path: Path) -> None:
    builds = tmp_path / "var/lib/dkms"
    put(builds / f"nvidia/580.105.08/{KERNEL}/x86_64/module/nvidia.ko", "", 1000)
    put(builds / f"nvidia/580.105.08/{KERNEL}/x86_64/module/nvidia-uvm.ko", "", 2000)
    put(builds / f"nvidia-srv/570.195.03/{KERNEL}/x86_64/module/nvidia.ko", "", 3000)
    put(builds / "nvidia/535.1/5.15.0-1-generic/x86_64/module/nvidia.ko", "", 4000)
    put(builds / f"mlnx-ofed-kernel/25.10/{KERNEL}/x86_64/module/ib_core.ko", "", 5000)
    fact = DkmsBuilds()
    assert fact.process(run(tmp_path, fact.command(modules=["nvidia*"], kernel=KERNEL))) == [
        Build("nvidia", "580.105.08", 2000),
        Build("nvidia-srv", "570.195.03", 3000),
    ]
    found = fact.process(run(tmp_path, fact.command(modules=["mlnx-ofed-kernel"], kernel=KERNEL)))
    assert found == [Build("mlnx-ofed-kernel", "25.10", 5000)]
    assert fact.process(run(tmp_path, fact.command(modules=["iser"], kernel=KERNEL))) == []


def test_modules_of_another_build(tmp_path: Path) -> None:
    # Debian's own modules have no checksum of their sources; what the kernel has built in has no state either.
    for module, loaded in (("ib_core", "AAAA"), ("mlx5_core", "BBBB"), ("gone", "CCCC"), ("ib_uverbs", None)):
        put(tmp_path / f"sys/module/{module}/initstate", "live\n", 1)
        if loaded:
            put(tmp_path / f"sys/module/{module}/srcversion", f"{loaded}\n", 1)
    put(tmp_path / "sys/module/built_in/parameters/one", "1\n", 1)
    put(tmp_path / "bin/modinfo", '#!/bin/sh\n[ "$3" != gone ] && echo AAAA\n', 1)
    (tmp_path / "bin/modinfo").chmod(0o755)
    fact = ReplacedModules()
    command = fact.command(modules=["ib_core", "mlx5_core", "ib_uverbs", "built_in", "gone", "not_loaded"])
    assert fact.process(run(tmp_path, command)) == ["mlx5_core", "ib_uverbs"]
