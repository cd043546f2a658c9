"""NVIDIA's runtime at containerd: options of its own and runc's, and what its removal does."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from typing import Any

import pytest
from pyinfra.facts.files import File

from gpufleet.containers.configuration import rendered
from gpufleet.containers.drop_ins import drop_in
from gpufleet.containers.judging import Trial
from gpufleet.containers.schema import DROP_INS, ROOT_FILE, RUNTIME
from gpufleet.containers.settings import Settings
from gpufleet.facts.containerd import UNIT, ConfigTrial
from gpufleet.facts.gpu_containers import RuntimeTasks
from gpufleet.facts.gpu_daemons import GpuDaemon, GpuDaemonState
from gpufleet.facts.units import UnitState
from gpufleet.operations import nvidia_runtime
from tests.support.imagined_containerd import trial
from tests.support.plans import plan

PATH = "/etc/containerd/conf.d/99-nvidia.toml"
ROOT = rendered(Settings("registry.k8s.io/pause:3.10.2"), "2.2.6")
RUNS, STOPPED = UnitState("loaded", "active", "enabled"), UnitState("loaded", "inactive", "enabled")


def removal(there: bool, daemon: GpuDaemon, after: Trial, tasks: Sequence[str] = ()) -> list[str]:
    """Lines of the plan of a removal."""
    known: dict[Any, Any] = {
        File: lambda path: {"mode": 644} if there else None,
        GpuDaemonState: lambda unit, files: daemon if (unit, files) == (UNIT, [DROP_INS]) else None,
        ConfigTrial: lambda without: after if without == [PATH] else None,
        RuntimeTasks: lambda program: list(tasks) if program == "nvidia-container-runtime" else None,
    }
    _, *lines = plan(lambda: nvidia_runtime.removed(path=PATH), known).splitlines()
    return [line.strip() for line in lines]


@pytest.mark.parametrize(
    ("there", "daemon", "expected"),
    [
        (False, GpuDaemon(RUNS), [f"nothing to do: no {PATH}"]),
        (False, GpuDaemon(STOPPED, changed=8), [f"nothing to do: no {PATH}"]),
        (True, GpuDaemon(RUNS), [f"rm -f {PATH}", f"systemctl restart {UNIT}"]),
        (True, GpuDaemon(STOPPED), [f"rm -f {PATH}"]),
        # A run was cut off between the two.
        (False, GpuDaemon(RUNS, started=7, changed=8), [f"systemctl restart {UNIT}"]),
    ],
)
def test_removed(there: bool, daemon: GpuDaemon, expected: list[str]) -> None:
    assert removal(there, daemon, trial("2.2.6", {ROOT_FILE: ROOT})) == expected


@pytest.mark.parametrize(
    ("there", "daemon"),
    [(True, GpuDaemon(RUNS)), (False, GpuDaemon(RUNS, started=7, changed=8))],
    ids=["before anything changes", "after a run that was cut off"],
)
def test_not_removed_while_another_file_is_bad(there: bool, daemon: GpuDaemon) -> None:
    bad = "/etc/containerd/conf.d/50-site.toml"
    message = (
        f"gpu-07: {bad}:1: expected version = 3, as {ROOT_FILE} has, found version = 4; write the drop-in for that "
        "version: containerd would not start, or leave settings out unsaid"
    )
    assert removal(there, daemon, trial("2.2.6", {ROOT_FILE: ROOT, bad: "version = 4\n"})) == [
        f"printf '%s\\n' '{message}' >&2; false",
        "failed",
    ]


@pytest.mark.parametrize("there", [True, False])
def test_not_removed_while_containers_need_it(there: bool) -> None:
    message = (
        "gpu-07: /usr/bin/nvidia-container-runtime: expected no container that runs by it, found moby/1f2e, "
        "train/llama-0; end them, as by draining the node and taking away the daemon sets of the runtime class nvidia, "
        "and deploy again: nothing could stop or delete them without it"
    )
    tasks = ["moby/1f2e", "train/llama-0"]
    assert removal(there, GpuDaemon(RUNS), trial("2.2.6", {ROOT_FILE: ROOT}), tasks) == [
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
