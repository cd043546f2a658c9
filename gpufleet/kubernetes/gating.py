"""What follows a verification for hosts that are nodes; others cost nothing here, not even an import."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from gpufleet.health.verification import Verification
from gpufleet.inventory.hosts import InventoryHost
from gpufleet.kubernetes.gated import Gated
from gpufleet.kubernetes.judgment import Judgment, judge, unfinished
from gpufleet.kubernetes.nodes import is_gated


def gate(
    hosts: Sequence[InventoryHost],
    result: Verification,
    left_out: Mapping[str, Sequence[str]],
    *,
    strict: bool = False,
    halfway: Collection[str] = (),
    shut_out_all: bool = False,
) -> list[Gated]:
    """Judge the hosts that are nodes and act on their nodes; hosts that the verification does not know count as undone.

    + hosts: hosts of the request, nodes and others
    + result: what their checks came to
    + left_out: by host, its roles with checks that the request left out
    + strict: what is unproven counts as failed
    + halfway: hosts that a deploy reached and did not bring to the end
    + shut_out_all: shut out what could not be verified, however many
    """
    nodes = [host for host in hosts if is_gated(host)]
    if not nodes:
        return []
    from gpufleet.kubernetes import preflight  # noqa: PLC0415 - a tenth of a second, for nodes alone

    def judgment(name: str) -> Judgment:
        if name not in result.hosts:
            return unfinished(reached=name in halfway)
        return judge(result.hosts[name], left_out.get(name, ()), strict=strict)

    judged = [(host, judgment(host.name)) for host in nodes]
    return preflight.act(judged, result.began, shut_out_all=shut_out_all)
