"""Releases of containerd that a lab host goes through, and files in conf.d that no release of them may run by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gpufleet.containers.schema import DROP_INS, ROOT_FILE, runtime_plugin
from gpufleet.lab.containerd import build
from tests.support.lab import Fleet

DEPLOY, ROLE = "container_runtime.py", "container_runtime"
#: A drop-in of somebody else.
SITE = f"{DROP_INS}/50-site.toml"
DEBIAN, UBUNTU = "d13", "u24"
#: Lab hosts lack CAP_SYS_RESOURCE.
LAB = {"restrict_oom_score_adj": True}
#: A container, in the namespace of the kubelet's, that no change of containerd may end.
CONTAINER = "survivor"
_START = f"ctr --namespace k8s.io run --detach gpufleet.test/workload:1 {CONTAINER}"
_TASK = f"ctr --namespace k8s.io tasks list | sed -n 's/^{CONTAINER} *//p'"
#: A plugin that nothing needs, and the command that prints its line where the running containerd has it.
TRACER = ("io.containerd.tracing.processor.v1", "otlp")
TRACES = f"ctr plugins list 2>/dev/null | grep -E '^{TRACER[0]} +{TRACER[1]} ' || true"


@dataclass(frozen=True)
class Stage:
    """A release, and the hosts that have it."""

    name: str
    version: str
    schema: int
    hosts: tuple[str, ...]
    options: Mapping[str, Any]
    package: str = "containerd.io"

    def declare(self, fleet: Fleet, **more: Any) -> None:
        """Say that the hosts shall have it."""
        fleet.declare(**{host: {ROLE: {**LAB, **self.options, **more}} for host in self.hosts})

    def each(self, fleet: Fleet, command: str) -> dict[str, str]:
        """What every host says to a command, without the end of the line."""
        return {host: fleet.host(host).execute(command).stdout.rstrip("\n") for host in self.hosts}

    def daemons(self, fleet: Fleet) -> dict[str, str]:
        """Process of containerd by host."""
        return self.each(fleet, "systemctl show --property=MainPID --value containerd.service")

    def containers(self, fleet: Fleet) -> dict[str, list[str]]:
        """Process and state of the container by host."""
        return {host: task.split() for host, task in self.each(fleet, _TASK).items()}

    def start(self, fleet: Fleet, survivors: dict[str, list[str]]) -> None:
        """Start the container where there was none yet."""
        for host in set(self.hosts) - set(survivors):
            fleet.host(host).execute(_START)
            survivors[host] = self.containers(fleet)[host]

    def put(self, fleet: Fleet, text: str) -> None:
        """Have somebody write a drop-in; nothing takes it away."""
        self.each(fleet, f"mkdir -p {DROP_INS} && cat >{SITE} <<'END'\n{text}END\n" if text else f"rm -f {SITE}")

    def without_traces(self) -> str:
        """A drop-in that this containerd takes, and by which it leaves a plugin out."""
        return f'version = {self.schema}\ndisabled_plugins = ["{".".join(TRACER)}"]\n'

    def told(self, fleet: Fleet) -> dict[str, str]:
        """Run the deploy; the last line that is said of each host that failed."""
        result = fleet.deploy(DEPLOY, limit=self.hosts)
        return {name: host.error.strip().splitlines()[-1].strip() for name, host in result.hosts.items() if host.error}

    def bad(self) -> dict[str, str]:
        """What is to be said, after the host, of each bad drop-in, by its text."""
        plugin = runtime_plugin(self.schema)
        head, take_away = f"version = {self.schema}\n", "correct it or take it away"
        return {
            f"# newer\nversion = {self.schema + 1}\n": f"{SITE}:2: expected version = {self.schema}, as {ROOT_FILE} "
            f"has, found version = {self.schema + 1}; write the drop-in for that version: containerd would not start, "
            "or leave settings out unsaid",
            f"{head}[plugins\n": f"{SITE}:2: expected TOML, found Expected ']' at the end of a table declaration; "
            "correct the line, or take the file away",
            f'{head}\n[plugins."io.containerd.nosuch.v1.x"]\nx = 1\n': f"{SITE}:3: expected a plugin of this "
            f"containerd, found io.containerd.nosuch.v1.x, which it would ignore; {take_away}",
            f'{head}[plugins."{plugin}"]\nenable_selinux = "yes"\n': f"{SITE}:3: expected true or false for "
            f"plugins.{plugin}.enable_selinux, found a text; {take_away}",
        }


DISTRIBUTIONS = Stage("debian", "1.7.24", 2, (DEBIAN,), {}, "containerd")
VENDORS = tuple(
    Stage(line, version, schema, (DEBIAN, UBUNTU), {"source": "vendor", "version": version})
    for schema, line in enumerate(build.LINES, start=3)
    for version in [build.Line(line).version]
)
STAGES = (DISTRIBUTIONS, *VENDORS)
