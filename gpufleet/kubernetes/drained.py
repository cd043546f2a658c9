"""Whether a node is drained: what may only change where no pod of a user runs. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

#: How many pods are named.
SHOWN = 3


@dataclass(frozen=True)
class Occupancy:
    """What runs on a node beside pods of DaemonSets and static ones, which stay when it is drained."""

    #: Whether the host joined a cluster at all.
    joined: bool = False
    #: Whether the node is cordoned; None where the API server did not say.
    cordoned: bool | None = None
    #: Pods as `namespace/name`, where the API server said.
    pods: tuple[str, ...] = ()
    #: Sandboxes of pods, of any kind, where only the host could be asked.
    sandboxes: int = 0

    @property
    def is_free(self) -> bool:
        """Whether nothing of a user's runs here, so that what pods hold may be forgotten.

        A node that is not cordoned may get a pod at any time, so that it is free only without a single sandbox.
        """
        if not self.joined:
            return True
        if self.cordoned is None:
            return not self.sandboxes
        return not self.pods and (self.cordoned or not self.sandboxes)


def refusal(node: str, what: str, why: str, occupancy: Occupancy) -> dict[str, Any]:
    """Return what is expected, found and to be done where something may change on a drained node alone."""
    return {
        "expected": f"a drained node before {what} ({why})",
        "found": _found(occupancy),
        "cure": f"run `kubectl drain {node} --ignore-daemonsets`, and deploy again",
    }


def _found(occupancy: Occupancy) -> str:
    if occupancy.cordoned is None:
        return f"{_number(occupancy.sandboxes)} on the host, and an API server that did not say whose"
    state = "cordoned" if occupancy.cordoned else "not cordoned"
    if not occupancy.pods:
        return f"it {state} with {_number(occupancy.sandboxes)}"
    more = len(occupancy.pods) - SHOWN
    named = ", ".join([*occupancy.pods[:SHOWN], *([f"{more} more"] if more > 0 else [])])
    return f"it {state} with {named}"


def _number(sandboxes: int) -> str:
    return f"{sandboxes} pod{'s' * (sandboxes != 1)}"
