"""Containers that run with GPUs, and which of them systemd would take from them at its next reload.

A container runtime that leaves control groups to systemd names the devices to it as `/dev/char/195:0`. What a hook gave
to the container behind systemd's back is gone after `systemctl daemon-reload`, and NVML then says "Failed to initialize
NVML: Unknown Error" (NVIDIA/nvidia-container-toolkit issue 48).

A container that was started by NVIDIA's runtime needs that program to its end: containerd's shim calls it for every
signal and for the container's deletion, and has its name in the file `runtime` beside the container's specification
(containerd, cmd/containerd-shim-runc-v2/runc/container.go).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pyinfra.api.facts import FactBase
from typing_extensions import override

from gpufleet.facts.gpu_devices import numbers

#: Scopes that containerd, CRI-O and Docker run containers in.
SCOPES = "'cri-containerd-*.scope' 'crio-*.scope' 'docker-*.scope'"
_SCRIPT = """\
for u in $(systemctl list-units --type=scope --plain --no-legend {scopes} 2>/dev/null | cut -d' ' -f1); do
g=$(systemctl show --property=ControlGroup --value "$u")
p=$(cat "/sys/fs/cgroup$g/cgroup.procs" "/sys/fs/cgroup/systemd$g/cgroup.procs" 2>/dev/null | head -n 1)
n=$(stat -c "node %t %T %n" /proc/${{p:-none}}/root/dev/nvidia[0-9]* /proc/${{p:-none}}/root/dev/nvidiactl 2>/dev/null)
[ -z "$n" ] || {{ echo "unit $u"; echo "$n"; systemctl show --property=DevicePolicy,DeviceAllow "$u"; }}; done; true"""

#: Where containerd keeps what runs, by namespace and container.
TASKS = "/run/containerd/io.containerd.runtime.v2.task"
_NAMED = re.compile(r'"io\.kubernetes\.cri\.sandbox-(?P<what>namespace|name)":"(?P<value>[^"]+)"')
_TASKS = """\
for d in {tasks}/*/*; do grep -qsE '(^|/){program}$' "$d/runtime" || continue
p=$(cat "$d/init.pid" 2>/dev/null); [ -d "/proc/${{p:-none}}" ] || continue
echo "task ${{d#{tasks}/}}"; grep -o '"io[.]kubernetes[.]cri[.]sandbox-name[a-z]*":"[^"]*"' "$d/config.json"
done; true"""


@dataclass(frozen=True)
class GpuContainer:
    """One container with GPUs."""

    unit: str
    #: Numbers of its devices by their paths in it, such as `195:0`.
    devices: dict[str, str]
    #: What systemd lets it read and write.
    policy: str
    allowed: tuple[str, ...]

    @property
    def losing(self) -> tuple[str, ...]:
        """Devices that it has and that systemd knows nothing of, so that it takes them away when it is reloaded."""
        if self.policy == "auto" and not self.allowed:  # a privileged one, which may have everything
            return ()
        if any(entry.startswith(("char-nvidia", "char-*")) for entry in self.allowed):
            return ()
        return tuple(
            path
            for path, number in self.devices.items()
            if number and not {path, f"/dev/char/{number}"} & set(self.allowed)
        )


class GpuContainers(FactBase[list[GpuContainer]]):
    """Containers that have NVIDIA's device nodes, with what systemd allows them."""

    default = list

    @override
    def command(self) -> str:
        """Look into /dev of the first process of each container's scope."""
        return _SCRIPT.format(scopes=SCOPES)

    @override
    def process(self, output: list[str]) -> list[GpuContainer]:
        """Parse `unit X`, `node c3 0 /proc/7/root/dev/nvidia0`, `DevicePolicy=strict`, `DeviceAllow=/dev/null rwm`."""
        blocks: list[list[str]] = []
        for line in output:
            if line.startswith("unit "):
                blocks.append([])
            if blocks:
                blocks[-1].append(line.strip())
        return [_container(block) for block in blocks]


class RuntimeTasks(FactBase[list[str]]):
    """What runs by a runtime's program: pods as `namespace/name`, others as containerd's `namespace/id`."""

    default = list

    @override
    def command(self, program: str) -> str:
        """Look for a program of this name, in whatever folder, beside every container whose first process lives."""
        return _TASKS.format(tasks=TASKS, program=program)

    @override
    def process(self, output: list[str]) -> list[str]:
        """Parse `task k8s.io/1f2e` and `"io.kubernetes.cri.sandbox-name":"train-0"`; a pod has several containers."""
        tasks: list[tuple[str, dict[str, str]]] = []
        for line in output:
            if line.startswith("task "):
                tasks.append((line.removeprefix("task "), {}))
            elif tasks and (match := _NAMED.search(line)):
                tasks[-1][1][match["what"]] = match["value"]
        return sorted({f"{pod['namespace']}/{pod['name']}" if len(pod) == 2 else task for task, pod in tasks})


def _container(lines: list[str]) -> GpuContainer:
    nodes = [line.split() for line in lines if line.startswith("node ")]
    devices = {f"/dev/{row[3].rpartition('/dev/')[2]}": numbers(row[1], row[2]) for row in nodes}
    policy = [line.partition("=")[2] for line in lines if line.startswith("DevicePolicy=")]
    rows = [line.partition("=")[2].split() for line in lines if line.startswith("DeviceAllow=")]
    # runc lets every container make nodes of any kind, `char-* m`, which opens none of them.
    allowed = [row[0] for row in rows if len(row) == 2 and {"r", "w"} <= set(row[1])]
    return GpuContainer(lines[0].removeprefix("unit "), devices, policy[0] if policy else "", tuple(allowed))
