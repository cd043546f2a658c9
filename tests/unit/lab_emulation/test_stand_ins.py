"""The programs that stand in for the packages' own: there with any package that has them, away with the last."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.unit.lab_emulation.host import PROGRAMS

PROGRAM, DIVERTED = "usr/bin/nvidia-persistenced", "usr/lib/gpufleet-lab/diverted/nvidia-persistenced"
STAND_IN = "/usr/lib/gpufleet-lab/nvidia-persistenced"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A host with dpkg's records and the folder of programs."""
    for folder in ("usr/bin", "usr/lib/gpufleet-lab", "var/lib/dpkg/updates", "var/lib/dpkg/info"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "var/lib/dpkg/status").touch()
    return tmp_path


def after_dpkg(root: Path) -> str:
    """Run what dpkg runs after each of its runs; what it diverts then."""
    environment = {**os.environ, "GPUFLEET_LAB_ROOT": str(root)}
    subprocess.run([PROGRAMS / "stand-ins"], check=True, env=environment, timeout=30)
    records = root / "var/lib/dpkg/diversions"
    return records.read_text().split("\n")[0] if records.exists() else ""


def test_a_program_of_its_own_is_replaced_and_comes_back_with_its_package(root: Path) -> None:
    (root / PROGRAM).write_text("the package's")
    assert after_dpkg(root) == f"/{PROGRAM}"
    assert ((root / PROGRAM).readlink(), (root / DIVERTED).read_text()) == (Path(STAND_IN), "the package's")
    (root / DIVERTED).unlink()
    assert after_dpkg(root) == ""
    assert not (root / PROGRAM).is_symlink()


def test_a_package_that_has_a_link_takes_over_from_one_with_a_program(root: Path) -> None:
    (root / PROGRAM).write_text("the package's")
    after_dpkg(root)
    (root / DIVERTED).unlink()
    # dpkg unpacks the other package's file to where this name is diverted: the link points nowhere from there.
    (root / DIVERTED).symlink_to("../lib/gpufleet-lab/nvidia-persistenced")
    assert after_dpkg(root) == f"/{PROGRAM}"
    assert (root / PROGRAM).readlink() == Path(STAND_IN)
    (root / DIVERTED).unlink()
    assert after_dpkg(root) == ""
    assert not (root / PROGRAM).is_symlink()


def test_a_package_s_own_link_is_left_alone(root: Path) -> None:
    (root / PROGRAM).symlink_to("../lib/gpufleet-lab/nvidia-persistenced")
    assert after_dpkg(root) == ""
    assert (root / PROGRAM).readlink() == Path("../lib/gpufleet-lab/nvidia-persistenced")


def test_two_packages_with_a_program_of_one_name_keep_theirs_apart(root: Path) -> None:
    places = {"current": "usr/lib/gpufleet-lab/diverted/nvidia-smi"}
    places["tesla-535"] = "usr/lib/gpufleet-lab/diverted/tesla-535/nvidia-smi"
    for package in places:
        (root / "usr/lib/nvidia" / package).mkdir(parents=True)
        (root / "usr/lib/nvidia" / package / "nvidia-smi").write_text(package)
    after_dpkg(root)
    assert {package: (root / kept).read_text() for package, kept in places.items()} == {name: name for name in places}
    links = [(root / "usr/lib/nvidia" / package / "nvidia-smi").readlink() for package in places]
    assert links == [Path("/usr/lib/gpufleet-lab/nvidia-smi")] * 2
