"""How many nodes one run may shut out because their hosts could not be verified. Pure.

A host that fails a check speaks for itself. One that nobody could ask may be well, and where many are silent at once it
is the one who asks that is unwell: a key that expired, a network that is gone. The limit stands between that and a
fleet without a single node for pods.
"""

from __future__ import annotations

from gpufleet.errors import ClusterError

#: Nodes that may always be shut out so, and percent of the nodes of a run, rounded down; the greater of the two holds.
MAX_UNVERIFIED = 5
MAX_UNVERIFIED_PERCENT = 10

_CURE = (
    "this is more likely a fault of the controller, such as its network or its key, than of the hosts, so none of them "
    "was shut out: mend that and verify again, or run `gpufleet verify` with --shut-out-all"
)


def allowed(nodes: int) -> int:
    """Return how many of the nodes of a run may be shut out because their hosts could not be verified."""
    return max(MAX_UNVERIFIED, nodes * MAX_UNVERIFIED_PERCENT // 100)


def is_near(nodes: int, unverified: int) -> bool:
    """Tell whether it matters which nodes are shut out already, who then have to be asked for it."""
    return unverified > allowed(nodes) or 1 < nodes == unverified


def refusal(nodes: int, unverified: int, anew: int) -> ClusterError | None:
    """Explain why no node is shut out for want of a verification; None where they may be.

    + nodes: nodes of the run
    + unverified: those whose hosts could not be verified
    + anew: those of them that take pods now
    """
    if anew > allowed(nodes):
        expected = f"at most {allowed(nodes)} of {nodes} nodes to be shut out because their hosts could not be verified"
        return ClusterError("the preflight gate", expected=expected, found=str(anew), cure=_CURE)
    if anew and 1 < nodes == unverified:
        expected = f"any of {nodes} hosts to be verified"
        return ClusterError("the preflight gate", expected=expected, found="none", cure=_CURE)
    return None
