"""Plans of a first installation, one for each cell that the matrix allows: system, source, branch, flavor, profile."""

from __future__ import annotations

import pytest

from roles.nvidia_driver.deploy import nvidia_driver
from tests.support.driver_cells import cells, world
from tests.support.driver_facts import plan_of, without_noops
from tests.support.plans import assert_plan

CELLS = {str(cell): cell for cell in cells()}


@pytest.mark.parametrize("name", CELLS)
def test_fresh_install(name: str) -> None:
    cell = CELLS[name]
    host = world(cell.release, cell.driver)
    first = plan_of(nvidia_driver, host, cell.release, cell.data)
    assert_plan("nvidia_driver/cells", name, without_noops(first))
    assert without_noops(plan_of(nvidia_driver, host, cell.release, cell.data)) == ""


#: Branches that somebody packages for a system: NVIDIA, and its distribution.
PACKAGED = {
    "ubuntu-22.04": ("535 550 570 580 590 595", "535 550 570 580 590 595"),
    "ubuntu-24.04": ("535 550 570 580 590 595", "535 550 570 580 590 595"),
    "debian-12": ("535 550 570 580 590 595", "535"),
    "debian-13": ("580 590 595", "535 550"),
    "el-9": ("535 550 570 580 590 595", ""),
    "el-10": ("580 590 595", ""),
}


@pytest.mark.parametrize("release", PACKAGED)
def test_cells(release: str) -> None:
    found = {
        source: " ".join(
            sorted({row.branch for row in CELLS.values() if (row.release, row.source) == (release, source)})
        )
        for source in ("nvidia", "distribution")
    }
    assert (found["nvidia"], found["distribution"]) == PACKAGED[release]
