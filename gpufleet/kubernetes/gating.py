"""What follows a verification for hosts that are nodes; others cost nothing here, not even an import."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from gpufleet.health.verification import Verification
from gpufleet.inventory.hosts import InventoryHost
from gpufleet.kubernetes.gated import Gated
from gpufleet.kubernetes.judgment import Judgment, judge, unverified
from gpufleet.kubernetes.nodes import is_gated


def gate(
    hosts: Sequence[InventoryHost],
    result: Verification,
    left_out: Mapping[str, Sequence[str]],
    *,
    strict: bool = False,
) -> list[Gated]:
    """Judge the hosts that are nodes and act on their nodes; hosts that the verification does not know count as undone.

    + hosts: hosts of the request, nodes and others
    + result: what their checks came to
    + left_out: by host, its roles with checks that the request left out
    + strict: what is unproven counts as failed
    """
    nodes = [host for host in hosts if is_gated(host)]
    if not nodes:
        return []
    from gpufleet.kubernetes import preflight  # noqa: PLC0415 - a tenth of a second, for nodes alone

    judged = [(host, _judgment(host.name, result, left_out.get(host.name, ()), strict=strict)) for host in nodes]
    return preflight.act(judged, datetime.now(UTC))


def _judgment(name: str, result: Verification, left_out: Sequence[str], *, strict: bool) -> Judgment:
    if name not in result.hosts:
        return unverified("the deploy did not come to its end")
    return judge(result.hosts[name], left_out, strict=strict)
