"""Two hosts that declare one node of one cluster are refused, and nobody else is."""

from __future__ import annotations

from typing import Any

import pytest

from gpufleet import inventory
from gpufleet.errors import fault_lines
from tests.support.inventories import inventory_of

NAMED = {"node_name": "gpu-01"}
FILE = {"kubeconfig": {"file": "/etc/a"}}


def said(first: dict[str, Any], second: dict[str, Any]) -> list[str]:
    hosts = {
        name: {**data, "kubelet": {"version": "1.36.3", **data.get("kubelet", {})}, "ssh_hostname": name}
        for name, data in (("gpu-01", first), ("gpu-02", second))
    }
    return fault_lines(inventory.faults(inventory_of(hosts), stack=False))


@pytest.mark.parametrize(
    ("first", "second", "cluster"),
    [
        ({}, {"kubelet": NAMED}, "the default kubeconfig"),
        ({"kubelet": {"node_name": "a"}}, {"kubelet": {"node_name": "a"}}, "the default kubeconfig"),
        ({"kubernetes": FILE}, {"kubelet": NAMED, "kubernetes": FILE}, "file /etc/a"),
        (
            {"kubernetes": {**FILE, "context": "b"}},
            {"kubelet": NAMED, "kubernetes": {**FILE, "context": "b"}},
            "file /etc/a, context b",
        ),
        (
            {"kubernetes": {"kubeconfig": {"command": ["vault", "read"]}}},
            {"kubelet": NAMED, "kubernetes": {"kubeconfig": {"command": ["vault", "read"]}}},
            "command vault read",
        ),
    ],
)
def test_one_node_twice(first: dict[str, Any], second: dict[str, Any], cluster: str) -> None:
    node = first.get("kubelet", NAMED)["node_name"]
    claim = f"node {node} in the cluster of {cluster}"
    assert said(first, second) == [f"gpu-02: kubelet.node_name: {claim} is that of gpu-01 too; give each host its own"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, {}),
        ({"kubelet": {"node_name": "gpu-02"}}, {"kubelet": {"node_name": "gpu-01"}}),
        ({"kubernetes": FILE}, {"kubelet": NAMED}),
        ({"kubernetes": {**FILE, "context": "a"}}, {"kubelet": NAMED, "kubernetes": {**FILE, "context": "b"}}),
        ({}, {"kubelet": {**NAMED, "state": "absent"}}),
    ],
)
def test_two_nodes(first: dict[str, Any], second: dict[str, Any]) -> None:
    assert said(first, second) == []
