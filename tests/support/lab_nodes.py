"""Hosts of a lab that become nodes of its cluster: their inventory, and who looks at them with which rights."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from gpufleet import cli
from gpufleet.kubernetes.names import DOMAIN
from gpufleet.kubernetes.rights import MANIFEST
from gpufleet.lab import waiting
from gpufleet.lab.control_plane import images, server
from gpufleet.lab.control_plane.control_plane import ControlPlane
from gpufleet.lab.inventory import docker_repository, kubernetes_repository
from gpufleet.operations.kubelet import HEALTHZ
from tests.support.kubeconfigs import document, write
from tests.support.lab import Fleet

DEPLOY = "kubernetes.py"
#: The hosts of the story.
ONE, TWO = "n13", "n12"
HOSTS = {ONE: "debian-13/hgx-h100", TWO: "debian-12/hgx-h100"}
#: What the hosts of a lab need otherwise than machines: they share processors, and a kernel with control groups v1.
LAB = {
    "fail_cgroup_v1": False,
    "reserved": {"cpus": "0"},
    # The machine's own disk may be rather full.
    "eviction": {"hard": {"memory.available": "1Gi", "nodefs.available": "1%", "imagefs.available": "1%"}},
    "images": {"collect_above": 99, "collect_to": 98},
}
RUNTIME = {"source": "vendor", "restrict_oom_score_adj": True}
IGNORED = ["SystemVerification"]
READY_WITHIN = 90


@dataclass
class Nodes:
    """A fleet with a control plane; what its hosts shall be is declared key by key."""

    fleet: Fleet
    folder: Path
    #: By host, its options of the role kubelet.
    options: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def own(self) -> ControlPlane:
        """The control plane, as its administrator."""
        return self.fleet.lab.control_plane

    def begin(self, hosts: Iterable[str], **data: Mapping[str, Any]) -> None:
        """Declare hosts as nodes, with more data, and give gpufleet the account of its own manifest."""
        common = {
            "container_runtime": RUNTIME,
            "kubernetes": {"kubeconfig": {"file": str(self.account())}},
            **data,
        }
        for host in hosts:
            self.fleet.declare(**{host: common})
            self.repositories(host, docker=docker_repository(), kubernetes=kubernetes_repository())
            self.declare(host, **LAB, version=self.own.version, api_server=self.own.endpoint, join=self.way(host))

    def repositories(self, host: str, **changes: Mapping[str, str]) -> None:
        """Declare who serves packages; the others stay."""
        known = self.fleet.declared[host].get("stack", {}).get("repositories", {})
        self.fleet.declare(**{host: {"stack": {"repositories": {**known, **changes}}}})

    def declare(self, host: str, **changes: Any) -> None:
        """Declare options of the role kubelet; the others stay."""
        self.options.setdefault(host, {}).update(changes)
        self.fleet.declare(**{host: {"kubelet": self.options[host]}})

    def way(self, host: str) -> dict[str, Any]:
        """How a host joins; its secrets are files that a test may write anew."""
        places = {"token": self.folder / f"{host}.token", "ca_hashes": self.folder / "hash"}
        places["token"].write_text(self.own.token())
        places["ca_hashes"].write_text(self.own.ca_hash)
        named = {name: {"file": str(path)} for name, path in places.items()}
        return {**named, "ignored": IGNORED, "timeout": 60}

    def account(self) -> Path:
        """Apply gpufleet's manifest, and return a kubeconfig of its service account: it has no other right."""
        self.own.kubectl("apply", "--filename=-", data=MANIFEST.read_bytes())
        token = self.own.kubectl("create", "token", "gpufleet", "--namespace=gpufleet").strip()
        authority = self.own.server.run("cat", server.CA).encode()
        config = document(f"https://{self.own.endpoint}", authority, {"token": token})
        return write(self.folder / "gpufleet.kubeconfig", config)

    def command(self, *words: str) -> tuple[int, dict[str, Any]]:
        """Run a command of gpufleet over the inventory, as a user does: its exit code, and its document."""
        name, *rest = words
        done = CliRunner().invoke(cli.app, [name, str(self.fleet.inventory), *rest, "--json"])
        return done.exit_code, json.loads(done.stdout)

    def verify(self, *hosts: str) -> dict[str, Any]:
        """Run `gpufleet verify`; what became of each node, as `action: reason`."""
        _, found = self.command("verify", *(word for host in hosts for word in ("--limit", host)))
        bad = [check for host in found["hosts"].values() for check in host["checks"] if check["outcome"] == "error"]
        assert bad == [], bad
        return {
            host: ": ".join(filter(None, (node["action"], node["reason"]))) for host, node in found["nodes"].items()
        }

    def deploy(self, *hosts: str) -> list[str]:
        """Run the deploy; the last line of what is said of each host that failed."""
        result = self.fleet.deploy(DEPLOY, limit=hosts)
        return [error.splitlines()[-1].strip() for error in result.failures()]

    def changed(self, *hosts: str) -> int:
        """Run the deploy, which must come to its end; how many operations changed something."""
        result = self.fleet.deploy(DEPLOY, limit=hosts)
        failures = result.failures()
        assert failures == [], failures
        return result.changed

    def node(self, name: str) -> dict[str, Any]:
        """The node, as the API server has it."""
        return dict(json.loads(self.own.kubectl("get", "node", name, "--output=json")))

    def until_ready(self, *names: str) -> None:
        """Wait until kubelets are well and their nodes ready, which a boot changes late."""
        for name in names:
            self.until_well(name)
        places = [f"node/{name}" for name in names]
        self.own.kubectl("wait", "--for=create", *places, f"--timeout={READY_WITHIN}s")
        self.own.kubectl("wait", "--for=condition=Ready", *places, f"--timeout={READY_WITHIN}s")

    def until_well(self, name: str) -> None:
        """Wait until the kubelet of a host says that it is well."""

        def well() -> tuple[bool, str]:
            done = self.fleet.host(name).execute(HEALTHZ, check=False)
            return done.stdout == "ok", done.stderr

        waiting.until(name, "a kubelet that is well", well, READY_WITHIN)

    def taints(self, name: str) -> list[str]:
        """Values of gpufleet's own taint on a node."""
        taints = self.node(name)["spec"].get("taints", [])
        return [f"{taint['value']}:{taint['effect']}" for taint in taints if taint["key"] == f"{DOMAIN}/preflight"]

    def until_untainted(self, name: str) -> None:
        """Wait until the node's controllers have taken their taints away: they do it some time after `uncordon`."""

        def untainted() -> tuple[bool, str]:
            keys = [taint["key"] for taint in self.node(name)["spec"].get("taints", [])]
            return not any(key.startswith("node.kubernetes.io/") for key in keys), str(keys)

        waiting.until(name, "no taint of the node's controllers", untainted, READY_WITHIN)

    def until_recorded(self, name: str, text: str) -> None:
        """Wait until the CPU manager has written something down, which it does once the kubelet is well."""

        def recorded() -> tuple[bool, str]:
            done = self.fleet.host(name).execute("cat /var/lib/kubelet/cpu_manager_state", check=False)
            return text in done.stdout, done.stdout + done.stderr

        waiting.until(name, text, recorded, READY_WITHIN)

    def in_force(self, name: str) -> dict[str, Any]:
        """The whole configuration that the node's running kubelet works by; only the administrator may ask for it."""
        said = self.own.kubectl("get", "--raw", f"/api/v1/nodes/{name}/proxy/configz")
        return dict(json.loads(said)["kubeletconfig"])

    def start_pod(self, name: str, node: str) -> None:
        """Ask for a pod that gets a processor of its own on a node."""
        self.own.kubectl("wait", "--for=create", "serviceaccount/default", "--timeout=60s")
        self.own.kubectl("apply", "--filename=-", data=json.dumps(pod(name, node)).encode())

    def granted(self, name: str) -> dict[str, Any]:
        """Wait until a pod runs, and return what it says it may use."""
        self.own.kubectl("wait", "--for=condition=Ready", f"pod/{name}", f"--timeout={READY_WITHIN}s")
        said: list[str] = []

        def logged() -> tuple[bool, str]:
            said[:] = [self.own.kubectl("logs", name)]
            return said[0].endswith("\n"), said[0]

        waiting.until(name, "its line in the log", logged, READY_WITHIN)
        return dict(json.loads(said[0]))

    def until_refused(self, name: str) -> None:
        """Wait until the scheduler has found no node for a pod."""

        def refused() -> tuple[bool, str]:
            status = json.loads(self.own.kubectl("get", "pod", name, "--output=json"))["status"]
            reasons = [row.get("reason") for row in status.get("conditions", []) if row["type"] == "PodScheduled"]
            return reasons == ["Unschedulable"], str(status)

        waiting.until(name, "no node for the pod", refused, READY_WITHIN)


def pod(name: str, node: str) -> dict[str, Any]:
    """A pod that says what it may use, and waits."""
    limits = {"cpu": "1", "memory": "64Mi"}
    container = {"name": "train", "image": images.WORKLOAD, "imagePullPolicy": "Never", "resources": {"limits": limits}}
    spec = {
        "nodeSelector": {"kubernetes.io/hostname": node},
        "containers": [container],
        "terminationGracePeriodSeconds": 1,
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}
