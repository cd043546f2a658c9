"""The lab's control plane, before any host is its node."""

from __future__ import annotations

import json

import pytest

from gpufleet.errors import LabError
from tests.support.lab_nodes import Nodes

pytestmark = pytest.mark.kubernetes


def test_rights_are_real(nodes: Nodes) -> None:
    own = nodes.own
    assert json.loads(own.kubectl("version", "--output=json"))["serverVersion"]["gitVersion"] == f"v{own.version}"
    somebody = own.user("somebody").encode()
    with pytest.raises(LabError) as refused:
        own.kubectl("--kubeconfig=/dev/stdin", "get", "nodes", data=somebody)
    assert 'User "somebody" cannot list resource "nodes" in API group "" at the cluster scope' in str(refused.value)
