"""Nodes leave the cluster and come back, in the order of the tests: the story of `test_nodes` goes on.

A reset leaves nothing, and a wrong or old token joins nothing, nor does a host whose node stayed in the cluster without
the taint; one comes back with an older minor of Kubernetes, and moves to the cluster's once it is drained.
"""

from __future__ import annotations

import pytest

from tests.support import lab_nodes_left as left
from tests.support import lab_nodes_moved as moved
from tests.support import lab_nodes_refused as refused
from tests.support import unlike_kubernetes
from tests.support.lab_nodes import HOSTS, ONE, TWO, Nodes

pytestmark = pytest.mark.kubernetes


def test_a_reset_leaves_nothing(nodes: Nodes) -> None:
    nodes.declare(TWO, state="absent")
    assert nodes.deploy(TWO) == [
        f"{TWO}: kubelet.state: expected a drained node before it leaves the cluster (a reset ends its pods), found it "
        f"not cordoned with default/train-{TWO}; run `kubectl drain {TWO} --ignore-daemonsets`, and deploy again"
    ]
    for host in HOSTS:
        nodes.own.kubectl("drain", host, "--ignore-daemonsets", "--force")
    nodes.declare(ONE, state="absent", managers={})
    assert nodes.changed(*HOSTS) > 0
    assert nodes.changed(*HOSTS) == 0
    assert {host: left.over(nodes, host) for host in HOSTS} == dict.fromkeys(HOSTS, "")
    assert nodes.command("verify")[0] == 0
    nodes.own.kubectl("delete", "node", TWO)


def test_kubeadm_is_of_another_release_than_kubelet(nodes: Nodes) -> None:
    before = left.state(nodes, TWO)
    with unlike_kubernetes.declared_for(nodes, TWO) as expected:
        assert nodes.deploy(TWO) == expected
    assert left.state(nodes, TWO) == before


def test_tokens_that_let_nobody_in(nodes: Nodes) -> None:
    with refused.tokens(nodes, wrong=ONE, expired=TWO) as expected:
        assert nodes.deploy(*HOSTS) == expected


def test_a_node_that_was_left_behind_lets_nobody_in(nodes: Nodes) -> None:
    """Verified before it was reset, it has no taint; the new one has, as `verify` then lifts it."""
    assert nodes.taints(ONE) == []
    assert nodes.deploy(ONE) == [refused.left_behind(nodes, ONE)]
    nodes.own.kubectl("delete", "node", ONE)


def test_they_join_again_one_of_an_older_minor(nodes: Nodes) -> None:
    moved.joins(nodes, HOSTS, older=TWO)


def test_an_older_node_moves_on_once_it_is_drained(nodes: Nodes) -> None:
    moved.refuses(nodes, TWO, wanted=nodes.own.version)
    moved.moves(nodes, TWO, beside=ONE)
    moved.refuses(nodes, TWO, wanted=moved.release())
