"""Whether the GPUs of a host and a driver branch go together."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gpufleet.stack.machine import Hardware
from gpufleet.stack.matrix import Matrix
from gpufleet.stack.matrix.driver_rows import Branch, GpuGeneration
from gpufleet.stack.rules import UNKNOWN_GPU, verdict
from gpufleet.stack.verdicts import Verdict

_ID = re.compile(r"[0-9a-f]{4}")


def devices(hardware: Hardware) -> tuple[str, ...]:
    """Return the different GPUs of a host by PCI device id, in lower case."""
    return tuple(sorted({device.lower() for device in hardware.gpus}))


def generation_of(device: str, matrix: Matrix) -> GpuGeneration | None:
    """Return the generation of a GPU; None for one that the matrix does not know, or for what is no id at all."""
    return matrix.generation_of(device) if _ID.fullmatch(device) else None


def data_center(device: str, matrix: Matrix) -> bool:
    """Tell whether a GPU is one of NVIDIA's data-center products."""
    return _ID.fullmatch(device) is not None and matrix.product(device) is not None


def called(generation: GpuGeneration) -> str:
    """Return the generation's name as text has it: `Grace Hopper`."""
    return generation.generation.replace("_", " ").title()


def gpu_limits(hardware: Hardware, branch: Branch, matrix: Matrix) -> Iterator[Verdict]:
    """Say which GPUs the branch is too old or too new for, and which nobody knows."""
    for device in devices(hardware):
        row = generation_of(device, matrix)
        if row is None:
            yield _unknown(device, branch)
        elif branch.branch < row.first_branch:
            yield _outside(device, row, branch, f"branch {row.first_branch} or newer")
        elif row.last_branch is not None and branch.branch > row.last_branch:
            yield _outside(device, row, branch, f"branch {row.last_branch} or older")


def _unknown(device: str, branch: Branch) -> Verdict:
    return verdict(
        "note",
        UNKNOWN_GPU,
        where="driver",
        expected="GPUs whose generation the matrix knows",
        found=f"10de:{device}",
        cure=f"see that branch {branch.branch} drives it, and set flavor if the open modules do not",
    )


def _outside(device: str, row: GpuGeneration, branch: Branch, expected: str) -> Verdict:
    return verdict(
        "error",
        row,
        where="driver",
        expected=f"{expected} for GPU 10de:{device} ({called(row)})",
        found=f"branch {branch.branch}",
        cure="choose such a branch",
    )
