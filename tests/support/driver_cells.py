"""The cells of the matrix for plans of the role nvidia_driver, and worlds that suit their systems."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from gpufleet.stack.machine import Hardware
from gpufleet.stack.matrix import load
from gpufleet.stack.resolution import DriverChoice
from gpufleet.stack.resolve import resolve
from gpufleet.stack.wish import Wish
from tests.support.driver_facts import H100, kernel_of, system_of
from tests.support.driver_world import World

RELEASES = ("ubuntu-22.04", "ubuntu-24.04", "debian-12", "debian-13", "el-9", "el-10")
#: One release of each branch: the newest of a branch moves with the matrix.
BRANCHES = {
    "535": "535.261.03",
    "550": "550.163.01",
    "570": "570.195.03",
    "580": "580.105.08",
    "590": "590.48.01",
    "595": "595.58.03",
}
#: How versions of a system's packages end, by system and source.
MARKS = {"ubuntu": "-0ubuntu1", "debian": "-1", "el-9": "3:@-1.el9", "el-10": "3:@-1.el10"}


@dataclass(frozen=True)
class Cell:
    """One way to have a driver."""

    release: str
    source: str
    branch: str
    flavor: str
    profile: str

    def __str__(self) -> str:
        return "_".join((self.release, self.source, self.branch, self.flavor, self.profile))

    @property
    def data(self) -> dict[str, Any]:
        """Options of the role; the key of EL 10 has no fingerprint in the matrix."""
        unknown = {"stack": {"repositories": {"cuda": {"key_fingerprint": "0123456789" * 4}}}}
        given = options(BRANCHES[self.branch], source=self.source, flavor=self.flavor, packages=self.profile)
        return given | (unknown if self.release == "el-10" else {})

    @property
    def driver(self) -> DriverChoice | None:
        """What the resolver makes of it; None where the matrix does not allow it."""
        wish = Wish.model_validate(
            {"driver": BRANCHES[self.branch], "flavor": self.flavor, "source": self.source, "profile": self.profile}
        )
        hardware = Hardware(gpus=(H100,) * 8, kernel=kernel_of(self.release))
        return resolve(hardware, system_of(self.release), wish, load()).driver


def options(version: str, **given: Any) -> dict[str, Any]:
    """Data of a host with the role."""
    return {"nvidia_driver": {"version": version, **given}}


def cells() -> Iterator[Cell]:
    """Every cell that the matrix allows on a host with H100."""
    for row in product(RELEASES, ("nvidia", "distribution"), BRANCHES, ("open", "proprietary"), ("compute", "full")):
        if (cell := Cell(*row)).driver:
            yield cell


def world(release: str, driver: DriverChoice | None = None, **given: Any) -> World:
    """A world without a driver whose packages have versions as those of this system."""
    mark = MARKS.get(release) or MARKS[release.partition("-")[0]]
    module = {"dkms_module": driver.dkms_module if driver else "nvidia"}
    return World(**{"mark": mark, "is_el": release.startswith("el"), **module, **given})
