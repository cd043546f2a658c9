"""A node of a real API server on which others have written, and the gate that acts on it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gpufleet.health.outcomes import Outcome
from gpufleet.health.verification import Check
from gpufleet.kubernetes import preflight
from gpufleet.kubernetes.gated import lines
from gpufleet.kubernetes.judgment import Judgment, judge
from gpufleet.kubernetes.names import DOMAIN, PREFLIGHT
from tests.support.inventories import inventory_of
from tests.support.loopback_api import LoopbackApi
from tests.support.node_checks import is_the_node

NODE = "gpu-1"
AT = datetime(2026, 11, 23, 14, 37, 10, tzinfo=UTC)
GPU = {"effect": "NoSchedule", "key": "nvidia.com/gpu", "value": "present"}
EVICTING = {"effect": "NoExecute", "key": "example.org/reserved", "timeAdded": "2026-11-23T10:00:00Z"}
TIME = "2026-11-23T10:00:00Z"
CONDITION = {
    "type": "example.org/burnt",
    "status": "False",
    "reason": "Cool",
    "message": "cool",
    "lastHeartbeatTime": TIME,
    "lastTransitionTime": TIME,
}
LOST = "1 of 2 checks did not pass: machine gpus: expected 8 GPUs, found 7"


def register(api: LoopbackApi) -> list[Any]:
    """Register the node as its kubelet would, have others write on it, and return what is theirs."""
    metadata = {"name": NODE, "labels": {"example.org/rack": "7"}, "annotations": {"example.org/owner": "ada"}}
    spec = {"taints": [GPU, PREFLIGHT.model_dump(), EVICTING]}
    api.kubectl("create", "--filename=-", data={"apiVersion": "v1", "kind": "Node", "metadata": metadata, "spec": spec})
    status = json.dumps({"status": {"conditions": [CONDITION]}})
    api.kubectl("patch", "node", NODE, "--subresource=status", "--type=merge", f"--patch={status}")
    return of_others(api.node(NODE))


def judged(outcome: Outcome = Outcome.PASS) -> Judgment:
    message = "" if outcome is Outcome.PASS else "expected 8 GPUs, found 7"
    return judge([Check(NODE, "machine", "gpus", outcome, message), is_the_node(NODE)])


def act(config: Path, outcome: Outcome = Outcome.PASS, name: str = NODE, at: datetime = AT) -> str:
    """Let the gate act by a kubeconfig, and return its line."""
    data = {"kubelet": {}, "kubernetes": {"kubeconfig": {"file": str(config)}}}
    hosts = inventory_of({name: data}).hosts
    (line,) = lines(preflight.act([(hosts[name], judged(outcome))], at, pause=lambda seconds: None))
    return line


def of_others(node: dict[str, Any]) -> list[Any]:
    metadata, spec = node["metadata"], node["spec"]
    return [
        [taint for taint in spec.get("taints", []) if taint["key"] != PREFLIGHT.key],
        *(
            {key: value for key, value in metadata[field].items() if not key.startswith(f"{DOMAIN}/")}
            for field in ("labels", "annotations")
        ),
        [condition for condition in node["status"]["conditions"] if condition["type"] == CONDITION["type"]],
    ]


def own(node: dict[str, Any]) -> tuple[list[Any], dict[str, str]]:
    """The taint, labels and annotation of gpufleet."""
    texts = {**node["metadata"]["labels"], **node["metadata"]["annotations"]}
    taints = [taint for taint in node["spec"].get("taints", []) if taint["key"] == PREFLIGHT.key]
    return taints, {key: value for key, value in texts.items() if key.startswith(f"{DOMAIN}/")}


GOOD = judged().evidence
BAD = judged(Outcome.FAIL).evidence
