"""An imagined host for plans of the role kubelet: it joins, runs and resets as the plan's commands ask it to."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from unittest.mock import patch

from gpufleet.facts.kernel import LoadedModules
from gpufleet.facts.kubelet import (
    DROP_IN,
    UNIT,
    ApiServer,
    ManagerRecords,
    NodeIdentity,
    NodeLabels,
    NodeOccupancy,
    NodeTraces,
)
from gpufleet.facts.kubelet_flags import FLAGS, KubeadmFlags
from gpufleet.facts.numa import DefaultHugePages, NumaNodes, OnlineCpus
from gpufleet.facts.offers import OfferedVersions
from gpufleet.facts.swap import Swap, SwapState
from gpufleet.facts.sysctl import SysctlValues
from gpufleet.kubernetes.drained import Occupancy
from gpufleet.kubernetes.managers import CPU_STATE, MEMORY_STATE, Records
from gpufleet.kubernetes.memory import HugePages, NumaNode
from gpufleet.kubernetes.server import Answer
from gpufleet.operations import kubeadm, kubelet_configuration
from gpufleet.stack.kubernetes_choice import BESIDE, VERSIONED
from roles.kubelet.deploy import kubelet as deploy
from tests.support.companion_world import CompanionWorld, companion_plan

VERSIONS = ("1.37.1-1.1", "1.36.3-1.1", "1.36.2-1.1", "1.35.6-1.1")
OWN = {"cri-tools": "1.36.0-1.1", "kubernetes-cni": "1.9.1-1.1"}
SERVER = Answer(200, "1.36.3", 1)
HUGE_PAGE = 2 * 2**20
#: What managers write at their start; the policies here are those of the role's own choice.
STATIC = Records(
    '{"policyName":"static","defaultCpuSet":"0-127"}',
    '{"policyName":"Static","machineState":{'
    '"0":{"memoryMap":{"memory":{"total":1099511627776,"systemReserved":1610612736}}},'
    '"1":{"memoryMap":{"memory":{"total":1099511627776,"systemReserved":1610612736}}}}}',
    "best-effort",
)
_JOIN = re.compile(r"kubeadm joins (\S+)")
_LABEL = re.compile(r"label --overwrite node \S+ (.+)")
#: What a node has after its join, others' labels among them.
LABELS = {
    "gpufleet.dev/driver": "580.105.08",
    "gpufleet.dev/driver-branch": "580",
    "gpufleet.dev/gpu-count": "8",
    "gpufleet.dev/gpu-model": "H100-SXM5-80GB",
    "gpufleet.dev/rack": "a1",
    "gpufleet.dev/verified-at": "2026-11-23T14-37-10Z",
    "kubernetes.io/hostname": "gpu-07",
}


@dataclass
class KubeletWorld(CompanionWorld):
    """A host; `identity` is the node that it is, `occupancy` what runs on it once it is one."""

    identity: str = ""
    occupancy: Occupancy = field(default_factory=lambda: Occupancy(joined=True, cordoned=False, sandboxes=2))
    records: Records = field(default_factory=Records)
    server: Answer = SERVER
    swap: Swap = field(default_factory=lambda: Swap(active=("/dev/sda2",)))
    settings: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] | None = None
    nodes: int = 2
    #: What the repository says before it is used; nothing where it does not answer.
    repository: dict[str, list[str]] = field(default_factory=dict)

    def offered(self, package: str) -> list[str]:
        """Versions of its repositories, newest first."""
        if package in VERSIONED:
            return [version.replace("-1.1", "-150500.1.1") if self.is_el else version for version in VERSIONS]
        return [OWN[package]] if package in OWN else super().offered(package)

    def _bring(self, name: str, release: str) -> None:
        """A kubelet that runs is another one from then on."""
        super()._bring(name, release)
        if name == "kubelet" and self.identity:
            self.stale.add(UNIT)

    def run(self, command: str) -> None:
        """Change as a command asks."""
        if match := _JOIN.search(command):
            self.identity = match[1]
            self.records, self.labels = STATIC, dict(LABELS)
            self._unit(UNIT, "enable", now=False)
            self._unit(UNIT, "start", now=True)
        elif "kubeadm reset" in command:
            self.identity, self.records, self.labels = "", Records(), None
        elif match := _LABEL.search(command):
            pairs = [word.partition("=")[::2] for word in match[1].split()]
            self.labels = {**(self.labels or {}), **{key: value for key, value in pairs if not key.endswith("-")}}
            for key in (key[:-1] for key, _ in pairs if key.endswith("-")):
                self.labels.pop(key)
        elif command.startswith("mv "):
            self.files[DROP_IN] = self.files.pop(f"{DROP_IN}.new")
            self.stale.add(UNIT)
        elif command.startswith("sysctl --system"):
            text = self.files["/etc/sysctl.d/61-gpufleet-kubelet.conf"]
            self.settings |= dict(line.split(" = ") for line in text.splitlines() if " = " in line)
        elif command.startswith("swapoff"):
            self.swap = Swap()
        elif "rm -f" in command and CPU_STATE in command:
            self.records = Records(topology=self.records.topology)
            self.daemons.pop(UNIT)
        else:
            self._held(command)
            super().run(command.partition(" && ")[0])

    @property
    def pages(self) -> HugePages:
        """Huge pages that are in force."""
        return HugePages(int(self.settings.get("vm.nr_hugepages", "0")), HUGE_PAGE)

    def numa_nodes(self) -> list[NumaNode]:
        """NUMA nodes, over which the kernel spreads huge pages evenly."""
        huge = self.pages.count * HUGE_PAGE // self.nodes
        return [NumaNode(number, 2**40 - huge, huge=huge) for number in range(self.nodes)]

    def _held(self, command: str) -> None:
        if command.startswith("apt-mark hold"):
            self.held.update(name for name in BESIDE if name in command)


def facts(world: KubeletWorld) -> dict[Any, Any]:
    """What the host says of its kubelet."""
    joined = ["/etc/kubernetes/kubelet.conf", f"/var/lib/kubelet/{MEMORY_STATE}", "/etc/cni/net.d/10-calico.conflist"]
    return {
        OfferedVersions: lambda url, packages: world.repository,
        NumaNodes: world.numa_nodes,
        DefaultHugePages: lambda: world.pages,
        OnlineCpus: "0-127",
        KubeadmFlags: lambda: world.files.get(FLAGS, ""),
        ApiServer: lambda endpoint: world.server,
        NodeIdentity: lambda: world.identity,
        # Who is asked for another node than the host's is told that it is free.
        NodeOccupancy: lambda node: world.occupancy if node == world.identity else Occupancy(bool(world.identity)),
        ManagerRecords: lambda: world.records,
        NodeLabels: lambda: world.labels,
        NodeTraces: lambda: joined if world.identity else [],
        SwapState: lambda: world.swap,
        SysctlValues: lambda keys: {key: world.settings.get(key, "0") for key in keys},
        LoadedModules: lambda: dict.fromkeys(world.modules, ""),
    }


def kubelet_plan(
    world: KubeletWorld, data: Mapping[str, Any], release: str, role: Callable[[], Any] = deploy, **changes: Any
) -> str:
    """Plan the role on a host that follows the plan; scripts that have tests of their own are shortened."""
    with (
        patch.object(kubelet_configuration, "check", lambda where, new: f"kubelet judges {new}"),
        patch.object(kubeadm, "script", _joins),
    ):
        return companion_plan(role, world, release, "hgx-h100", data, changes={**facts(world), **changes})


def _joins(where: str, papers: Any, endpoint: str, timeout: int, question: str = "") -> str:
    digest = sha256(papers.configuration.encode()).hexdigest()[:8]
    kind = "a token" if papers.kubeconfig is None else "a bootstrap kubeconfig"
    name = re.search(r"^  name: (\S+)$", papers.configuration, re.MULTILINE)
    first = ", after a look for a node of that name" if question else ""
    return f"kubeadm joins {name[1] if name else '?'} at {endpoint} by {kind} ({digest}, within {timeout} s{first})"
