"""What became of the nodes of verified hosts: a line for each, and plain data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from gpufleet import hostset


class Action(StrEnum):
    """What was done about the preflight taint of a node."""

    LIFTED = "lifted"
    #: There was no taint, and there is none.
    CONFIRMED = "confirmed"
    TAINTED = "tainted"
    #: It had the taint, and keeps it.
    KEPT = "kept"
    #: The verification left roles of the host out: it proves nothing, and speaks against nothing.
    UNTOUCHED = "untouched"
    #: A verification that began later has decided already.
    SUPERSEDED = "superseded"
    #: The API server could not be asked, or refused, or too many nodes would be shut out at once.
    IMPOSSIBLE = "impossible"


_WORDS = {
    Action.LIFTED: "preflight taint lifted",
    Action.CONFIRMED: "no preflight taint, verified anew",
    Action.TAINTED: "preflight taint put on",
    Action.KEPT: "preflight taint stays",
    Action.UNTOUCHED: "left as it is",
    Action.SUPERSEDED: "left as it is",
}


@dataclass(frozen=True)
class Gated:
    """One host's node and what was done to it."""

    host: str
    node: str
    action: Action
    #: Why it is tainted, left alone, or could not be changed.
    reason: str = ""
    #: Digest of the host's report.
    evidence: str = ""

    def __str__(self) -> str:
        evidence = f" (evidence {self.evidence})" if self.evidence else ""
        reason = f": {self.reason}" if self.reason else ""
        return f"{self.host} node {self.node}: {_WORDS[self.action]}{evidence}{reason}"


def ok(gated: Iterable[Gated]) -> bool:
    """Whether the gate could act wherever it had to."""
    return all(each.action is not Action.IMPOSSIBLE for each in gated)


def lines(gated: Sequence[Gated]) -> Iterator[str]:
    """Yield a line for each node, and one for all that could not be changed for the same reason."""
    failed: dict[str, list[str]] = defaultdict(list)
    for each in gated:
        if each.action is Action.IMPOSSIBLE:
            failed[each.reason].append(each.host)
        else:
            yield str(each)
    for reason, hosts in failed.items():
        yield f"{hostset.describe(hosts)} node not changed: {reason}"


def document(gated: Iterable[Gated]) -> dict[str, Any]:
    """Return everything as plain data by host, for `--json`."""
    return {each.host: {name: value for name, value in asdict(each).items() if name != "host"} for each in gated}
