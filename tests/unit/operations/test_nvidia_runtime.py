"""NVIDIA's runtime at containerd: options of its own and runc's, and what its removal does."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from pyinfra.facts.files import File

from gpufleet.containers.configuration import rendered
from gpufleet.containers.drop_ins import drop_in
from gpufleet.containers.judging import Trial
from gpufleet.containers.schema import ROOT_FILE, RUNTIME
from gpufleet.containers.settings import Settings
from gpufleet.facts.containerd import UNIT, ConfigTrial
from gpufleet.facts.gpu_daemons import GpuDaemon, GpuDaemonState
from gpufleet.facts.units import UnitState
from gpufleet.operations import nvidia_runtime
from tests.support.imagined_containerd import trial
from tests.support.plans import plan

PATH = "/etc/containerd/conf.d/99-nvidia.toml"
ROOT = rendered(Settings("registry.k8s.io/pause:3.10.2"), "2.2.6")
RUNS, STOPPED = UnitState("loaded", "active", "enabled"), UnitState("loaded", "inactive", "enabled")


def removal(there: bool, state: UnitState, after: Trial) -> list[str]:
    """Lines of the plan of a removal."""
    known: dict[Any, Any] = {
        File: lambda path: {"mode": 644} if there else None,
        GpuDaemonState: lambda unit: GpuDaemon(state),
        ConfigTrial: lambda: after,
    }
    _, *lines = plan(lambda: nvidia_runtime.removed(path=PATH), known).splitlines()
    return [line.strip() for line in lines]


@pytest.mark.parametrize(
    ("there", "state", "expected"),
    [
        (False, RUNS, [f"nothing to do: no {PATH}"]),
        (True, RUNS, [f"rm -f {PATH}", f"systemctl restart {UNIT}"]),
        (True, STOPPED, [f"rm -f {PATH}"]),
    ],
)
def test_removed(there: bool, state: UnitState, expected: list[str]) -> None:
    assert removal(there, state, trial("2.2.6", {ROOT_FILE: ROOT})) == expected


def test_removed_while_another_file_is_bad() -> None:
    bad = "/etc/containerd/conf.d/50-site.toml"
    message = (
        f"gpu-07: {bad}:1: expected version = 3, as {ROOT_FILE} has, found version = 4; write the drop-in for that "
        "version: containerd would not start, or leave settings out unsaid"
    )
    assert removal(True, RUNS, trial("2.2.6", {ROOT_FILE: ROOT, bad: "version = 4\n"})) == [
        f"rm -f {PATH}",
        f"printf '%s\\n' '{message}' >&2; false",
        "failed",
    ]


@pytest.mark.parametrize(
    ("text", "options"),
    [
        (ROOT, {"SystemdCgroup": True}),
        (ROOT.replace("SystemdCgroup = true", "SystemdCgroup = false"), {"SystemdCgroup": False}),
        ("version = 3\n", {}),
    ],
)
def test_options_of_runc(text: str, options: dict[str, Any]) -> None:
    known: dict[Any, Any] = {ConfigTrial: lambda candidates=None: trial("2.2.6", {ROOT_FILE: text})}
    said = plan(lambda: nvidia_runtime.declared(path=PATH), known)
    lines = [line.removeprefix("     | ") for line in said.splitlines() if line.startswith("     |")]
    there = tomllib.loads("\n".join(line.removeprefix("     |") for line in lines))
    program = {"BinaryName": "/usr/bin/nvidia-container-runtime"}
    runtime = {"runtime_type": "io.containerd.runc.v2", "options": {**options, **program}}
    section = {RUNTIME: {"containerd": {"runtimes": {"nvidia": runtime}}}}
    assert there == tomllib.loads(drop_in({"version": 3}, section))
