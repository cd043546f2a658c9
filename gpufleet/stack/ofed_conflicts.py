"""Whether a network stack of NVIDIA's is made for a system."""

from __future__ import annotations

from collections.abc import Iterator

from gpufleet.stack.case import Case
from gpufleet.stack.rules import WRITTEN, verdict
from gpufleet.stack.verdicts import Verdict


def ofed_conflicts(case: Case) -> Iterator[Verdict]:
    """Hold the wished release against the system."""
    wish = case.wish.ofed
    if wish is None:
        return
    row = next((row for row in case.matrix.ofed if row.version == wish), None)
    here = [row.version for row in case.matrix.ofed if case.system.release in row.systems]
    known = f"a release made for {case.system.release}: {', '.join(here) or 'none'}"
    if row is None:
        cure = "choose one of them, or add a row of your own beside the inventory"
        yield verdict("error", WRITTEN, where="ofed", expected=known, found=repr(wish), cure=cure)
    elif case.system.release not in row.systems:
        cure = "set ofed to inbox for the distribution's own rdma-core" if "inbox" in here else "choose another system"
        yield verdict("error", row, where="ofed", expected=known, found=f"{row.kind} {wish}", cure=cure)
