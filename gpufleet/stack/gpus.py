"""NVIDIA GPUs and switches by PCI id: which generation, and which kernel modules suit it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from gpufleet.errors import GpufleetError
from gpufleet.facts.hardware import PciDevice
from gpufleet.stack.matrix import Matrix, load
from gpufleet.stack.matrix.driver_rows import GpuGeneration, GpuProduct, GpuRange
from gpufleet.stack.matrix.rows import GENERATIONS, Flavor, Generation

__all__ = ["Flavor", "Generation", "default_flavor", "generation", "nvidia_gpus", "nvswitches", "product", "table"]

NVIDIA = "10de"


class Table(NamedTuple):
    """The matrix's rows about PCI ids."""

    ranges: tuple[GpuRange, ...]
    products: tuple[GpuProduct, ...]


def table() -> Table:
    """Return the ranges of PCI ids and the products that have names."""
    return Table(load().gpu_ranges, load().gpu_products)


def nvidia_gpus(devices: Iterable[PciDevice]) -> list[PciDevice]:
    """Return the NVIDIA GPUs: display (0300) and 3D (0302) controllers."""
    return [device for device in devices if device.vendor == NVIDIA and device.class_code[:4] in {"0300", "0302"}]


def nvswitches(devices: Iterable[PciDevice]) -> list[PciDevice]:
    """Return the NVSwitches: NVIDIA's bridges of no standard kind (0680)."""
    return [device for device in devices if device.vendor == NVIDIA and device.class_code[:4] == "0680"]


def generation(device_id: str) -> Generation | None:
    """Return the generation of a GPU by PCI device id, None for one the matrix does not know."""
    row = load().generation_of(device_id)
    return row.generation if row else None


def product(device_id: str) -> str | None:
    """Return the name of a data-center GPU by PCI device id, None for any other."""
    row = load().product(device_id)
    return row.name if row else None


def default_flavor(device_ids: Sequence[str], branch: int, matrix: Matrix | None = None) -> tuple[Flavor, str]:
    """Return the kernel modules to install for these GPUs and driver branch, and the reason in a few words.

    NVIDIA's rule: Maxwell, Pascal and Volta run with the proprietary modules alone, Grace Hopper and Blackwell
    with the open ones alone; the others with both, and open is the default from branch 560.
    """
    rows = {row.generation: row for row in map((matrix or load()).generation_of, device_ids) if row}
    needs_open = _named(row for row in rows.values() if row.open_modules == "required")
    needs_proprietary = _named(row for row in rows.values() if row.open_modules == "impossible")
    if needs_open and needs_proprietary:
        raise GpufleetError(
            "nvidia_driver",
            expected="GPUs that one driver can run",
            found=f"{needs_open} (open modules only) beside {needs_proprietary} (proprietary modules only)",
            cure="take one of them out of the host",
        )
    if needs_open:
        return "open", f"{needs_open} can run the open modules only"
    if needs_proprietary:
        return "proprietary", f"{needs_proprietary} can run the proprietary modules only"
    first = _first_open_default(rows.values(), matrix or load())
    if branch >= first:
        return "open", f"open is NVIDIA's default from branch {first}"
    return "proprietary", f"proprietary is NVIDIA's default below branch {first}"


def _first_open_default(rows: Iterable[GpuGeneration], matrix: Matrix) -> int:
    """Return the first branch whose default is open for all these; without any, that of all current generations."""
    supported = [row for row in rows if row.open_modules == "supported"]
    supported = supported or [row for row in matrix.generations if row.open_modules == "supported"]
    return max((row.open_default_from or 0 for row in supported), default=0)


def _named(rows: Iterable[GpuGeneration]) -> str:
    names = {row.generation for row in rows}
    return " and ".join(name.replace("_", " ").title() for name in GENERATIONS if name in names)
