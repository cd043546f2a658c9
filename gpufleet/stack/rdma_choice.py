"""The network stack for RDMA: the distribution's rdma-core, or NVIDIA's DOCA-OFED where something needs it."""

from __future__ import annotations

from typing import Literal

from gpufleet.stack.case import Case
from gpufleet.stack.matrix.rdma_rows import Ofed, RdmaStack
from gpufleet.stack.part import Part
from gpufleet.stack.resolution import Package, RdmaChoice
from gpufleet.stack.rules import PEERMEM, verdict
from gpufleet.stack.verdicts import Verdict
from gpufleet.stack.versions import numbers


def rdma(case: Case, needs_peer_memory: bool) -> tuple[RdmaChoice | None, Part]:
    """Choose the stack and its packages, with the reason."""
    if case.wish.rdma_stack is None:
        return None, Part()
    row, why = chosen_ofed(case, needs_peer_memory)
    if row is None:  # an unknown release is refused with the wish `ofed` itself
        return None, Part() if case.wish.ofed else Part(verdicts=(_none_here(case),))
    if refusal := _refusal(case, row):
        return None, Part(verdicts=(refusal,))
    stack = case.matrix.rdma_stack(row.kind, case.packaging)
    if not case.hardware.rdma_adapters or stack is None:
        return None, Part(reasons={"rdma": "no RDMA adapter on the PCI bus"})
    provider: Literal["inbox", "doca"] = "doca" if row.kind == "doca" else "inbox"
    choice = RdmaChoice(provider, row.version, stack.unwanted, stack.dkms_modules, why)
    return choice, Part(packages=_packages(stack, row, why), reasons={"rdma": f"{provider}: {why}"})


def chosen_ofed(case: Case, needs_peer_memory: bool) -> tuple[Ofed | None, str]:
    """Return the release, with the reason; None where there is none of the wished kind for the system."""
    if case.wish.ofed is not None:
        return case.matrix.ofed_release(case.wish.ofed), f"release {case.wish.ofed} is wished for"
    inbox, newest = case.matrix.ofed_release("inbox"), _newest_doca(case)
    if case.wish.rdma_stack == "doca":
        return newest, "DOCA-OFED is wished for"
    if case.wish.rdma_stack == "inbox":
        return inbox, "the distribution's own stack is wished for"
    # Ubuntu's own ib_core has peer memory.
    if needs_peer_memory and case.system.family != "ubuntu" and newest:
        return newest, f"peer memory is needed, which the kernel of {case.system.release} has not"
    return inbox, "the distribution's own stack has all that is needed here"


def _newest_doca(case: Case) -> Ofed | None:
    rows = [row for row in case.matrix.ofed if row.kind == "doca" and case.system.release in row.systems]
    return max(rows, key=lambda row: numbers(row.version), default=None)


def _packages(stack: RdmaStack, row: Ofed, why: str) -> tuple[Package, ...]:
    return tuple(Package("rdma", name, row.version if name in stack.versioned else "", why) for name in stack.packages)


def _refusal(case: Case, row: Ofed) -> Verdict | None:
    """Refuse a release that is of another kind than the provider, or older than DOCA."""
    wanted = case.wish.rdma_stack
    if row.kind == "mlnx_ofed":
        expected, cure = "inbox or a release of DOCA-OFED, which followed MLNX_OFED", "leave ofed out, or name one"
    elif wanted not in ("auto", row.kind):
        expected, cure = f"a release of {wanted}, as the provider says", "correct one of the two"
    else:
        return None
    return verdict("error", row, where="ofed", expected=expected, found=f"{row.kind} {row.version}", cure=cure)


def _none_here(case: Case) -> Verdict:
    """Say why there is no such stack; the newest release of DOCA tells for which systems it is made."""
    rows = [row for row in case.matrix.ofed if row.kind == "doca"]
    newest = max(rows, key=lambda row: numbers(row.version), default=None)
    systems = sorted({system for row in rows for system in row.systems})
    return verdict(
        "error",
        newest or PEERMEM,
        where="rdma_stack",
        expected=f"inbox, as DOCA-OFED is made for {', '.join(systems) or 'no system'}",
        found=f"{case.wish.rdma_stack} on {case.system.release}",
        cure="set provider to inbox for the distribution's own rdma-core",
    )
