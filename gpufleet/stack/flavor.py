"""Open or proprietary kernel modules: by the generation of the GPUs, the branch and the wish."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gpufleet.stack.gpu_limits import called, devices, generation_of
from gpufleet.stack.machine import Hardware
from gpufleet.stack.matrix import Matrix
from gpufleet.stack.matrix.driver_rows import Branch, GpuGeneration
from gpufleet.stack.matrix.rows import Flavor
from gpufleet.stack.rules import MIXED_GPUS, verdict
from gpufleet.stack.verdicts import Verdict
from gpufleet.stack.wish import Wish

#: First branch for which NVIDIA's own installers choose the open modules where nothing else decides.
OPEN_BY_DEFAULT = 560


def choose_flavor(
    hardware: Hardware, wish: Wish, branch: Branch, matrix: Matrix
) -> tuple[Flavor, str, tuple[Verdict, ...]]:
    """Return the build, the reason in a few words, and what speaks against it."""
    found = [(device, row) for device in devices(hardware) if (row := generation_of(device, matrix))]
    needs_open = _names(row for _, row in found if row.open_modules == "required")
    needs_proprietary = _names(row for _, row in found if row.open_modules == "impossible")
    if needs_open and needs_proprietary:
        return "open", "", (_mixed(needs_open, needs_proprietary),)
    flavor, reason = _best([row for _, row in found], branch, needs_open, needs_proprietary)
    if wish.flavor != "auto":
        flavor, reason = wish.flavor, f"{wish.flavor} is wished for"
    return (
        flavor,
        reason,
        (*_impossible(flavor, found), *_too_early(flavor, branch, found), *_not_built(flavor, branch)),
    )


def _best(rows: list[GpuGeneration], branch: Branch, needs_open: str, needs_proprietary: str) -> tuple[Flavor, str]:
    if needs_open:
        return "open", f"{needs_open} can run the open modules only"
    if needs_proprietary:
        return "proprietary", f"{needs_proprietary} can run the proprietary modules only"
    if branch.flavors == ("open",):
        return "open", f"branch {branch.branch} has open modules only"
    first = max((row.open_default_from or OPEN_BY_DEFAULT for row in rows), default=OPEN_BY_DEFAULT)
    if branch.branch >= first:
        return "open", f"open is NVIDIA's default from branch {first}"
    return "proprietary", f"proprietary is NVIDIA's default below branch {first}"


def _names(rows: Iterable[GpuGeneration]) -> str:
    return " and ".join(sorted({called(row) for row in rows}))


def _mixed(needs_open: str, needs_proprietary: str) -> Verdict:
    return verdict(
        "error",
        MIXED_GPUS,
        where="flavor",
        expected="GPUs that one driver can run",
        found=f"{needs_open} (open modules only) beside {needs_proprietary} (proprietary modules only)",
        cure="take one of them out of the host",
    )


def _impossible(flavor: Flavor, found: list[tuple[str, GpuGeneration]]) -> Iterator[Verdict]:
    needed = {"open": "impossible", "proprietary": "required"}[flavor]
    other = {"open": "proprietary", "proprietary": "open"}[flavor]
    for device, row in found:
        if row.open_modules == needed:
            yield verdict(
                "error",
                row,
                where="flavor",
                expected=f"{other} kernel modules for GPU 10de:{device} ({called(row)}), which can run no others",
                found=flavor,
                cure=f"set flavor to {other} or auto",
            )


def _too_early(flavor: Flavor, branch: Branch, found: list[tuple[str, GpuGeneration]]) -> Iterator[Verdict]:
    for device, row in found:
        if flavor == "open" and row.open_from and row.first_branch <= branch.branch < row.open_from:
            yield verdict(
                "error",
                row,
                where="flavor",
                expected=f"branch {row.open_from} or newer for open kernel modules on 10de:{device} ({called(row)})",
                found=f"branch {branch.branch}",
                cure="choose such a branch",
            )


def _not_built(flavor: Flavor, branch: Branch) -> Iterator[Verdict]:
    if flavor not in branch.flavors:
        yield verdict(
            "error",
            branch,
            where="flavor",
            expected=f"{' or '.join(branch.flavors)} kernel modules, as branch {branch.branch} has no others",
            found=flavor,
            cure="set flavor to auto, or choose another branch",
        )
