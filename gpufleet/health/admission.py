"""From a verification to the nodes of its hosts: the gate, and a result for each node whatever the gate meets."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from gpufleet.errors import GpufleetError
from gpufleet.health.outcomes import one_line
from gpufleet.health.verification import Verification
from gpufleet.interrupts import terminable
from gpufleet.inventory.hosts import InventoryHost
from gpufleet.kubernetes import gating
from gpufleet.kubernetes.gated import Action, Gated
from gpufleet.kubernetes.nodes import is_gated, node_of


def admit(
    hosts: Sequence[InventoryHost],
    result: Verification,
    left_out: Mapping[str, Sequence[str]],
    *,
    strict: bool = False,
    halfway: Collection[str] = (),
    shut_out_all: bool = False,
) -> list[Gated]:
    """Let the gate act as `gating.gate` says, on the hosts whose checks came to their end; never raises.

    An operator's stop says nothing about the hosts that it left unchecked: their nodes are left as they are.
    """
    finished = [host for host in hosts if host.name not in result.unfinished]
    try:
        with terminable():
            return gating.gate(finished, result, left_out, strict=strict, halfway=halfway, shut_out_all=shut_out_all)
    except (Exception, KeyboardInterrupt) as error:
        nodes = [host for host in finished if is_gated(host)]
        return [Gated(host.name, node_of(host), Action.IMPOSSIBLE, _reason(error)) for host in nodes]


def _reason(error: BaseException) -> str:
    if isinstance(error, GpufleetError):
        return str(error)
    found = "an interrupt" if isinstance(error, KeyboardInterrupt) else f"{type(error).__name__}: {error}"
    return one_line(
        f"expected the preflight gate to come to its end, found {found}; look at the node, and verify again"
    )
