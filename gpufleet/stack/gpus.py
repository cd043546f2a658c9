"""NVIDIA GPUs and switches by PCI id: which generation, and which kernel modules suit it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal, Self, get_args

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from gpufleet.errors import GpufleetError
from gpufleet.facts.hardware import PciDevice

Generation = Literal[
    "maxwell", "pascal", "volta", "turing", "ampere", "hopper", "grace_hopper", "ada", "blackwell"
]  # fmt: skip
Flavor = Literal["open", "proprietary"]
DeviceId = Annotated[int, BeforeValidator(lambda text: int(text, 16))]

NVIDIA = "10de"
TABLE = Path(__file__).with_name("gpus.yaml")

#: First driver branch for which NVIDIA's own installers choose the open modules.
OPEN_BY_DEFAULT = 560
_OPEN_ONLY = {"grace_hopper", "blackwell"}
_PROPRIETARY_ONLY = {"maxwell", "pascal", "volta"}


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    generation: Generation
    source: str


class Range(_Row):
    """PCI device ids, both ends included, whose GPUs are of one generation."""

    first: DeviceId
    last: DeviceId
    chips: str

    def __contains__(self, device: int) -> bool:
        return self.first <= device <= self.last


class Product(_Row):
    """One data-center GPU."""

    id: DeviceId
    name: str


class Table(BaseModel):
    """The rows of gpus.yaml, checked: ranges apart from each other, products inside a range of their generation."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ranges: tuple[Range, ...]
    products: tuple[Product, ...]

    @model_validator(mode="after")
    def check(self) -> Self:
        """Refuse a table that contradicts itself."""
        ordered = sorted(self.ranges, key=lambda row: row.first)
        for row in ordered:
            if row.last < row.first:
                raise ValueError(f"range {row.first:04x}-{row.last:04x} ends before it begins")
        for before, after in pairwise(ordered):
            if after.first <= before.last:
                raise ValueError(
                    f"range {after.first:04x}-{after.last:04x} overlaps {before.first:04x}-{before.last:04x}"
                )
        for product in self.products:
            if self.generation(product.id) != product.generation:
                raise ValueError(f"product {product.id:04x} {product.name} is in no range of {product.generation}")
        return self

    def generation(self, device: int) -> Generation | None:
        """Return the generation whose range holds this id."""
        return next((row.generation for row in self.ranges if device in row), None)


@cache
def table() -> Table:
    """Load gpus.yaml."""
    return Table.model_validate(yaml.safe_load(TABLE.read_text(encoding="utf-8")))


def nvidia_gpus(devices: Iterable[PciDevice]) -> list[PciDevice]:
    """Return the NVIDIA GPUs: display (0300) and 3D (0302) controllers."""
    return [device for device in devices if device.vendor == NVIDIA and device.class_code[:4] in {"0300", "0302"}]


def nvswitches(devices: Iterable[PciDevice]) -> list[PciDevice]:
    """Return the NVSwitches: NVIDIA's bridges of no standard kind (0680)."""
    return [device for device in devices if device.vendor == NVIDIA and device.class_code[:4] == "0680"]


def generation(device_id: str) -> Generation | None:
    """Return the generation of a GPU by PCI device id, None for one the table does not know."""
    return table().generation(int(device_id, 16))


def product(device_id: str) -> str | None:
    """Return the name of a data-center GPU by PCI device id, None for any other."""
    return next((row.name for row in table().products if row.id == int(device_id, 16)), None)


def default_flavor(device_ids: Sequence[str], branch: int) -> tuple[Flavor, str]:
    """Return the kernel modules to install for these GPUs and driver branch, and the reason in a few words.

    NVIDIA's rule: Maxwell, Pascal and Volta run with the proprietary modules alone, Grace Hopper and Blackwell
    with the open ones alone; the others with both, and open is the default from branch 560.
    """
    found = {generation(device_id) for device_id in device_ids}
    needs_open, needs_proprietary = _named(found & _OPEN_ONLY), _named(found & _PROPRIETARY_ONLY)
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
    if branch >= OPEN_BY_DEFAULT:
        return "open", f"open is NVIDIA's default from branch {OPEN_BY_DEFAULT}"
    return "proprietary", f"proprietary is NVIDIA's default below branch {OPEN_BY_DEFAULT}"


def _named(generations: Iterable[str | None]) -> str:
    return " and ".join(name.replace("_", " ").title() for name in get_args(Generation) if name in set(generations))
