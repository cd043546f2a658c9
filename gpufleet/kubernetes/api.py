"""A small client of one API server: it reads a node and patches it, and turns every refusal into a sentence."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Self

import httpx2
from lightkube import Client, ConfigError, KubeConfig
from lightkube.generic_resource import GenericGlobalResource, create_api_info
from lightkube.types import PatchType

from gpufleet.kubernetes import refusals, retries
from gpufleet.kubernetes.gate import Patch
from gpufleet.kubernetes.kubeconfig import Kubeconfig
from gpufleet.kubernetes.rights import GET_NODE, PATCH_NODE, RIGHTS, Right

#: Seconds for connecting, and for each piece of an answer.
TIMEOUT = 10.0

#: How often a node is read and decided about anew when others change it in between.
ATTEMPTS = 5

#: Who changed a field, as the API server records it in `managedFields`.
FIELD_MANAGER = "gpufleet"

_CONFLICT = 409

#: What a request may end with: an answer that is an error, none, one that cannot be read, or a file or a command of
#: the kubeconfig.
_FAILURES = (httpx2.HTTPError, httpx2.InvalidURL, ConfigError, OSError, LookupError, ValueError, TypeError)

Node = Mapping[str, Any]
#: What to change in a node as it is now, or nothing.
Decide = Callable[[Node], Patch | None]


class _NodeResource(GenericGlobalResource):
    """Nodes as plain data: what a newer API server adds to one is kept, which typed models would drop."""

    _api_info = create_api_info("", "v1", "Node", "nodes", verbs=[right.verb for right in RIGHTS])


class Cluster:
    """One API server, as one user. Threads may share it; leaving the context closes its connections."""

    def __init__(
        self, config: Kubeconfig, timeout: float = TIMEOUT, pause: Callable[[float], object] = time.sleep
    ) -> None:
        self._config, self._pause = config, pause
        try:
            self._client = Client(_lightkube(config), timeout=httpx2.Timeout(timeout), field_manager=FIELD_MANAGER)
        except (httpx2.InvalidURL, ConfigError, OSError, ValueError, TypeError) as error:
            raise refusals.unusable(config, error) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._client.close()

    def node(self, name: str) -> Node:
        """Read a node."""
        node: Node | None = self._ask(GET_NODE, name, lambda: self._client.get(_NodeResource, name))
        if not node or node.get("kind") != "Node":
            raise refusals.no_api(self._config)
        return node

    def change(self, name: str, decide: Decide) -> None:
        """Patch a node as decided; where others changed it meanwhile, read it and decide again, a few times.

        The API server refuses the patch of a version that is no longer the node's, so nobody's change is lost.
        """
        for _ in range(ATTEMPTS):
            patch = decide(self.node(name))
            if patch is None or self._patch(name, patch):
                return
        raise refusals.never_still(self._config, name, ATTEMPTS)

    def _patch(self, name: str, patch: Patch) -> bool:
        """Patch a node; False where it is no longer of the patch's version."""
        if "resourceVersion" not in patch["metadata"]:
            raise ValueError(f"a patch of {name} without resourceVersion")

        def send() -> Any:
            return self._client.patch(_NodeResource, name, dict(patch), patch_type=PatchType.MERGE)

        return self._ask(PATCH_NODE, name, send) is not None

    def _ask(self, right: Right, name: str, send: Callable[[], Any]) -> Any:
        """Send one request, again where another answer may come, and return the answer.

        It is None where another change came first; every other failure becomes a ClusterError.
        """
        delays = iter(retries.DELAYS)
        while True:
            try:
                return send()
            except _FAILURES as error:
                answered = retries.in_chain(error, httpx2.HTTPStatusError)
                if answered and answered.response.status_code == _CONFLICT:
                    return None
                wait = retries.pause(error, next(delays, None))
                if wait is None:
                    raise refusals.explained(self._config, error, right, name) from None
            self._pause(wait)


def _lightkube(config: Kubeconfig) -> KubeConfig:
    """Return the kubeconfig as the library takes it: the one context."""
    document = {
        "current-context": "chosen",
        "contexts": [{"name": "chosen", "context": {"cluster": "chosen", "user": "chosen"}}],
        "clusters": [{"name": "chosen", "cluster": config.cluster}],
        "users": [{"name": "chosen", "user": config.user}],
    }
    return KubeConfig.from_dict(document)
