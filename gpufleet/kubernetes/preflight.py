"""The gate at work: the nodes of judged hosts are read, decided about, and patched, several at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime

from gpufleet.errors import ClusterError, GpufleetError, NodeError
from gpufleet.inventory.hosts import InventoryHost
from gpufleet.kubernetes import gate, kubeconfig
from gpufleet.kubernetes.api import Cluster, Node
from gpufleet.kubernetes.data import ClusterData
from gpufleet.kubernetes.gated import Action, Gated
from gpufleet.kubernetes.judgment import Judgment, Standing
from gpufleet.kubernetes.nodes import node_of

#: Nodes worked on at the same time; beyond that an API server lets one user's requests queue.
_AT_ONCE = 8

Judged = tuple[InventoryHost, Judgment]


def act(judged: Iterable[Judged], at: datetime) -> list[Gated]:
    """Act on the nodes of hosts, cluster by cluster; never raises for what a cluster refuses.

    + judged: hosts that are nodes, with what their verification came to
    + at: when they were verified
    """
    clusters: dict[ClusterData, list[Judged]] = defaultdict(list)
    for host, judgment in judged:
        clusters[ClusterData.of(host)].append((host, judgment))
    return [each for data, members in clusters.items() for each in _in_cluster(data, members, at)]


def _in_cluster(data: ClusterData, members: Sequence[Judged], at: datetime) -> list[Gated]:
    """Act in one cluster; a verification that decides nothing needs no API server."""
    asking = [member for member in members if member[1].standing is not Standing.PARTIAL]
    results = [_result(*member, Action.UNTOUCHED) for member in members if member not in asking]
    if not asking:
        return results
    try:
        with Cluster(kubeconfig.read(data)) as cluster:
            return results + _Turn(cluster, at).all(asking)
    except GpufleetError as error:
        return results + [_impossible(*member, error) for member in asking]


class _Turn:
    """The nodes of one cluster in turn; once the API server cannot be asked, the rest is not tried."""

    def __init__(self, cluster: Cluster, at: datetime) -> None:
        self._cluster, self._at = cluster, at
        self._refusal: ClusterError | None = None

    def all(self, members: Sequence[Judged]) -> list[Gated]:
        """Act on every node; those that one refusal of the API server kept from it all name the same one."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            results = list(pool.map(self._one, members))
        return [result or self._refused(*member) for result, member in zip(results, members, strict=True)]

    def _one(self, member: Judged) -> Gated | None:
        host, judgment = member
        if self._refusal:
            return None
        try:
            return _result(host, judgment, self._change(node_of(host), judgment))
        except NodeError as error:
            return _impossible(host, judgment, error)
        except ClusterError as error:
            self._refusal = error
            return None

    def _refused(self, host: InventoryHost, judgment: Judgment) -> Gated:
        return replace(_result(host, judgment, Action.IMPOSSIBLE), reason=str(self._refusal))

    def _change(self, name: str, judgment: Judgment) -> Action:
        """Change a node, and return what the decision about its latest version was."""
        made = [gate.Decision(Action.UNTOUCHED)]

        def decide(node: Node) -> gate.Patch | None:
            made.append(gate.decide(node, judgment, self._at))
            return made[-1].patch

        self._cluster.change(name, decide)
        return made[-1].action


def _result(host: InventoryHost, judgment: Judgment, action: Action) -> Gated:
    return Gated(host.name, node_of(host), action, judgment.reason, judgment.evidence)


def _impossible(host: InventoryHost, judgment: Judgment, error: GpufleetError) -> Gated:
    return replace(_result(host, judgment, Action.IMPOSSIBLE), reason=str(error))
