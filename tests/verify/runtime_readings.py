"""What the checks of the role `container_runtime` ask a host, and how they read its answers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from gpufleet.containers.schema import DROP_INS, REGISTRIES, ROOT_FILE
from gpufleet.facts.cni import DIRECTORY, UnlinkedPlugins
from gpufleet.facts.containerd import PROGRAM, UNIT, ConfigTrial
from gpufleet.facts.gpu_daemons import GpuDaemonState
from gpufleet.facts.registries import OwnRegistries
from gpufleet.stack.versions import upstream
from roles.container_runtime.steps import CRICTL, DROP_IN
from tests.verify.base_readings import CAP_SYS_RESOURCE
from tests.verify.cuda_readings import SHARED

#: What every pod's network is made with, whatever the cluster's own plugin.
NEEDED_PLUGINS = ("loopback", "host-local", "bridge", "portmap")
#: The packages that have them: Kubernetes' own, for distributions that have none, and theirs.
KUBERNETES_PLUGINS = "kubernetes-cni"
PLUGINS = (KUBERNETES_PLUGINS, "containernetworking-plugins")
#: Plugins of containerd that serve the kubelet, by ID, in any schema.
SERVES_KUBELET = ("cri", "images", "runtime")
_SOCKET = "--address /run/containerd/containerd.sock"
#: A directory that is gone took its drop-ins with it, nobody knows when.
_FILES = f"{PROGRAM} {ROOT_FILE} {DROP_INS} {DROP_INS}/*.toml /{DROP_IN}"
#: Where the declared directory of data lies, which the host's own file names.
_ROOT = f"""p=$(sed -n 's/^root = "\\(.*\\)"$/\\1/p' {ROOT_FILE} 2>/dev/null); echo "root $p" """

PROBE = {
    **SHARED,
    "daemon": GpuDaemonState().command(unit=UNIT),
    "changed": f"stat -L -c Changed=%.6Z {_FILES} 2>/dev/null; [ -d {DROP_INS} ] || date +Changed=%s.%6N",
    "server": f"timeout 30 ctr {_SOCKET} version 2>&1; true",
    "plugins": f"timeout 30 ctr {_SOCKET} plugins ls 2>&1; true",
    "trial": ConfigTrial().command(),
    "unit file": f"cat /{DROP_IN} 2>/dev/null; true",
    "limits": f'p=$(systemctl show --property=MainPID --value {UNIT}); cat "/proc/${{p:-0}}/limits" 2>/dev/null; true',
    "own limits": "cat /proc/1/limits",
    "capabilities": "sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status",
    "tasks": f"systemctl show --property=TasksMax --value {UNIT}",
    "registries": f'for f in {REGISTRIES}/*/hosts.toml; do [ ! -e "$f" ] || {{ echo "== $f"; cat "$f"; }}; done; true',
    "own registries": OwnRegistries().command(),
    "crictl file": f"cat /{CRICTL} 2>/dev/null; true",
    "crictl": "command -v crictl >/dev/null || { echo none; exit 0; }; timeout 30 crictl version 2>&1; true",
    "runc": "runc --version 2>&1 | head -n 1",
    "network plugins": f'for p in {DIRECTORY}/*; do [ ! -x "$p" ] || echo "${{p##*/}}"; done; true',
    "unlinked": UnlinkedPlugins().command(),
    "filesystem": f'{_ROOT}; [ ! -d "$p" ] || findmnt --noheadings -o TARGET --target "$p"; true',
}
_LIMIT = re.compile(r"^(?P<name>Max [a-z ]+?) {2,}(?P<soft>\S+) +(?P<hard>\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Limit:
    """One of a process's limits: what it has, and what the host's first process may give at most."""

    soft: str = "none"
    hard: str = "none"
    ceiling: str = "unlimited"

    def says(self, wanted: str) -> str:
        """Return what is found where that is not what is wanted."""
        return "" if {self.soft, self.hard} == {wanted} else f"{self.soft} and {self.hard}"

    def is_capped(self, wanted: str) -> bool:
        """Tell whether the host itself cannot give as much."""
        is_less = self.ceiling != "unlimited" and (wanted == "unlimited" or int(self.ceiling) < int(wanted))
        return is_less and self.hard == self.ceiling


def limits(process: str, first: str, capabilities: str) -> dict[str, Limit]:
    """Parse two /proc/<pid>/limits: `Max locked memory         8388608              8388608              bytes`.

    What the host's first process has is a ceiling where root may raise no limit (CAP_SYS_RESOURCE).
    """
    may_raise = int(capabilities, 16) >> CAP_SYS_RESOURCE & 1
    ceilings = {} if may_raise else {match["name"]: match["hard"] for match in _LIMIT.finditer(first)}
    own = {match["name"]: match for match in _LIMIT.finditer(process)}
    return {name: Limit(row["soft"], row["hard"], ceilings.get(name, "unlimited")) for name, row in own.items()}


@dataclass(frozen=True)
class Server:
    """What containerd says of itself over its socket."""

    #: Without what builders add: Debian's `~ds1`, Go's `+unknown`.
    version: str = ""
    #: State of each plugin that serves the kubelet, by its ID.
    plugins: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, version: str, plugins: Iterable[str]) -> Server:
        """Parse `ctr version` and `ctr plugins ls`: `io.containerd.grpc.v1    cri    linux/amd64    ok`."""
        answer = re.search(r"^Server:\s+Version: +v?(?P<version>\S+)", version, re.MULTILINE)
        rows = [line.split() for line in plugins if line.startswith("io.containerd.") and len(line.split()) >= 3]
        kinds = ("io.containerd.grpc.v1", "io.containerd.cri.v1")
        found = {f"{row[0]}.{row[1]}": row[-1] for row in rows if row[0] in kinds and row[1] in SERVES_KUBELET}
        return cls(upstream(answer["version"].partition("+")[0]) if answer else "", found)


def blocks(lines: Sequence[str]) -> dict[str, str]:
    """Parse files, each after a line `== PATH`."""
    found: dict[str, str] = {}
    path = ""
    for line in lines:
        if line.startswith("== "):
            path = line.removeprefix("== ")
            found[path] = ""
        elif path:
            found[path] += f"{line}\n"
    return found
