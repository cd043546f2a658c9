"""What gpufleet may do at an API server: the client can ask for nothing else, and rbac.yaml grants nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

#: The manifest that grants these rights to the service account `gpufleet`.
MANIFEST = Path(__file__).with_name("rbac.yaml")


@dataclass(frozen=True)
class Right:
    """One verb on one kind of resource, in the words of RBAC."""

    verb: str
    resource: str
    #: API group; the core group has no name.
    group: str = ""

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}"


GET_NODE = Right("get", "nodes")
PATCH_NODE = Right("patch", "nodes")

RIGHTS = (GET_NODE, PATCH_NODE)
