"""What others than gpufleet write on a node, and how to see that it stayed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from gpufleet.kubernetes.names import DOMAIN
from gpufleet.lab.control_plane.control_plane import ControlPlane

OTHERS = "example.org"
CONDITION = {
    "type": "ExampleOrgDisksHealthy",
    "status": "True",
    "reason": "NoErrors",
    "message": "no errors in the logs of any disk",
    "lastHeartbeatTime": "2026-11-23T14:00:00Z",
    "lastTransitionTime": "2026-11-23T14:00:00Z",
}


def write_as_others(own: ControlPlane, node: str) -> None:
    """Label, annotate and taint a node, and give it a condition; none of it keeps pods away."""
    own.kubectl("label", "node", node, f"{OTHERS}/team=x", "node-role.kubernetes.io/gpu=")
    own.kubectl("annotate", "node", node, f"{OTHERS}/note=left alone")
    own.kubectl("taint", "node", node, f"{OTHERS}/reserved=x:PreferNoSchedule")
    patch = json.dumps({"status": {"conditions": [CONDITION]}})
    own.kubectl("patch", "node", node, "--subresource=status", "--type=strategic", f"--patch={patch}")


def of_others(node: Mapping[str, Any]) -> list[Any]:
    """Everything on a node that is not gpufleet's: times aside that the kubelet writes by itself."""
    metadata = node["metadata"]
    conditions = [row for row in node["status"]["conditions"] if row["type"] == CONDITION["type"]]
    assert conditions == [CONDITION]
    return [
        conditions,
        [taint for taint in node["spec"]["taints"] if not taint["key"].startswith(DOMAIN)],
        *(_without_ours(metadata[name]) for name in ("labels", "annotations")),
    ]


def _without_ours(entries: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in entries.items() if not key.startswith(DOMAIN)}
