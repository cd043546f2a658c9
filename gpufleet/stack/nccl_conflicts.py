"""What can speak against a wish for NCCL."""

from __future__ import annotations

from collections.abc import Sequence

from gpufleet.stack.case import Case
from gpufleet.stack.matrix.software_rows import Nccl
from gpufleet.stack.rules import NCCL_BUILDS, NCCL_MAJOR, WRITTEN, verdict
from gpufleet.stack.verdicts import Verdict


def third_major(case: Case, cuda: str, wish: str) -> Verdict:
    """NCCL is built for a CUDA major that no toolkit of the wish has."""
    version = "NCCL" if wish == "auto" else f"NCCL {wish}"
    return verdict(
        "error",
        NCCL_MAJOR,
        where="nccl_cuda",
        expected=f"{version} built for the CUDA major of a toolkit in the wish: {', '.join(case.wish.cuda)}",
        found=f"built for CUDA {cuda}",
        cure="leave nccl_cuda out, or name the version of one of these toolkits",
    )


def not_built(case: Case, wish: str, targets: Sequence[int]) -> Verdict:
    """No build of the version exists for all the CUDA majors."""
    rows = case.matrix.nccl_builds(wish) or case.matrix.nccl
    known = ", ".join(sorted({f"{row.version}+cuda{row.cuda}" for row in rows}))
    needed = case.wish.nccl_cuda or " and ".join(map(str, sorted(targets)))
    return verdict(
        "error",
        NCCL_BUILDS,
        where="nccl",
        expected=f"a build for CUDA {needed or 'of any version'} among those that the matrix knows: {known or 'none'}",
        found="no version that has it" if wish == "auto" else f"NCCL {wish}",
        cure=_other_build(case, wish),
    )


def _other_build(case: Case, wish: str) -> str:
    if case.wish.nccl_cuda:
        return "name one of them, or leave nccl_cuda out"
    if wish != "auto":
        return "set nccl to auto or choose another version"
    what = "other toolkits" if case.wish.cuda else "another driver"
    return f"choose {what}, or add a row of your own beside the inventory"


def too_new(case: Case, build: Nccl) -> Verdict:
    """The driver cannot load the build."""
    return verdict(
        "error",
        build,
        where="nccl",
        expected=f"driver branch {build.minimum_branch} or newer for NCCL {build.version}+cuda{build.cuda}",
        found=f"branch {case.branch}",
        cure="choose such a driver, or NCCL for an older CUDA major",
    )


def unreadable(where: str, expected: str, found: str) -> Verdict:
    """The text is no version."""
    return verdict("error", WRITTEN, where=where, expected=expected, found=repr(found), cure="write it like that")
