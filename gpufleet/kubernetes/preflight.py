"""The gate at work: the nodes of judged hosts are read, decided about, and patched, cluster by cluster."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TypeVar

from gpufleet.errors import GpufleetError
from gpufleet.inventory.hosts import InventoryHost
from gpufleet.kubernetes import gate, kubeconfig, limit, turn
from gpufleet.kubernetes.api import Cluster, Node
from gpufleet.kubernetes.data import ClusterData
from gpufleet.kubernetes.gate import Decision
from gpufleet.kubernetes.gated import Action, Gated
from gpufleet.kubernetes.judgment import Judgment, Standing
from gpufleet.kubernetes.nodes import node_of

Judged = tuple[InventoryHost, Judgment]
Pause = Callable[[float], object]
Result = TypeVar("Result")


def act(
    judged: Iterable[Judged], at: datetime, *, shut_out_all: bool = False, pause: Pause = time.sleep
) -> list[Gated]:
    """Act on the nodes of hosts; never raises for what a cluster refuses.

    + judged: hosts that are nodes, with what their verification came to
    + at: when it began
    + shut_out_all: shut out what could not be verified, however many
    + pause: waits for seconds before a request is sent again
    """
    members = [*judged]
    # A verification that decides nothing needs no API server.
    done = {host.name: _result(host, of, Action.UNTOUCHED) for host, of in members if of.standing is Standing.PARTIAL}
    if not shut_out_all:
        done |= _held_back(members, pause)
    asking = [member for member in members if member[0].name not in done]
    # Those to be shut out come first, for whatever stops the rest.
    asking.sort(key=lambda member: member[1].standing is Standing.PASSED)
    for (host, judgment), decision in _in_clusters(asking, partial(_change, at), pause):
        done[host.name] = _done(host, judgment, decision)
    return [done[host.name] for host, _ in members]


def _held_back(members: Sequence[Judged], pause: Pause) -> Mapping[str, Gated]:
    """Return what is not shut out because it would be too many, and whose nodes could not be asked about that."""
    unverified = [member for member in members if member[1].standing is Standing.UNVERIFIED]
    if not limit.is_near(len(members), len(unverified)):
        return {}
    found = _in_clusters(unverified, lambda cluster, host, _: gate.takes_pods(cluster.node(node_of(host))), pause)
    refusal = limit.refusal(len(members), len(unverified), [open_ for _, open_ in found].count(True))
    left = [(member, open_ if isinstance(open_, GpufleetError) else refusal) for member, open_ in found]
    return {member[0].name: _impossible(*member, error) for member, error in left if error}


def _in_clusters(
    members: Iterable[Judged], do: Callable[[Cluster, InventoryHost, Judgment], Result], pause: Pause
) -> list[tuple[Judged, Result | GpufleetError]]:
    """Do something to the node of every host, each in its own cluster."""
    clusters: dict[ClusterData, list[Judged]] = defaultdict(list)
    for host, judgment in members:
        clusters[ClusterData.of(host)].append((host, judgment))
    return [result for data, own in clusters.items() for result in _in_cluster(data, own, do, pause)]


def _in_cluster(
    data: ClusterData,
    members: Sequence[Judged],
    do: Callable[[Cluster, InventoryHost, Judgment], Result],
    pause: Pause,
) -> list[tuple[Judged, Result | GpufleetError]]:
    try:
        with Cluster(kubeconfig.read(data), pause=pause) as cluster:
            done = turn.each(members, lambda member: do(cluster, *member))
            return [*zip(members, done, strict=True)]
    except GpufleetError as error:
        return [(member, error) for member in members]


def _change(at: datetime, cluster: Cluster, host: InventoryHost, judgment: Judgment) -> Decision:
    """Change a node, and return the decision that holds now."""
    made: list[Decision] = []

    def decide(node: Node) -> gate.Patch | None:
        made.append(gate.decide(node, judgment, at))
        return made[-1].patch

    cluster.change(node_of(host), decide)
    return gate.holding(made)


def _done(host: InventoryHost, judgment: Judgment, decision: Decision | GpufleetError) -> Gated:
    if isinstance(decision, GpufleetError):
        return _impossible(host, judgment, decision)
    return replace(_result(host, judgment, decision.action), reason=decision.reason or judgment.reason)


def _result(host: InventoryHost, judgment: Judgment, action: Action) -> Gated:
    return Gated(host.name, node_of(host), action, judgment.reason, judgment.evidence)


def _impossible(host: InventoryHost, judgment: Judgment, error: GpufleetError) -> Gated:
    return replace(_result(host, judgment, Action.IMPOSSIBLE), reason=str(error))
