"""Checks as they end on hosts that are nodes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from gpufleet.health.outcomes import Outcome
from gpufleet.health.verification import Check
from gpufleet.inventory.hosts import InventoryHost

#: What a fixture makes of names: hosts that are nodes.
Nodes = Callable[..., dict[str, InventoryHost]]

AT = datetime(2026, 11, 23, 14, 37, 10, tzinfo=UTC)
LOST = "expected 8 GPUs, found 7"
REASON_TEXT = f"1 of 2 checks did not pass: base gpus: {LOST}"


def is_the_node(host: str, outcome: Outcome = Outcome.PASS, message: str = "") -> Check:
    """What says that a host is the node that its data declare; without it no node is let in."""
    return Check(host, "kubelet", "host_is_the_declared_node", outcome, message)


def checks(host: str, outcome: Outcome = Outcome.PASS, message: str = "") -> list[Check]:
    """A check that comes to this, on a host that is the declared node."""
    return [Check(host, "base", "gpus", outcome, message), is_the_node(host)]
