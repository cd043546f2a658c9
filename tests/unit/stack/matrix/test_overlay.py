"""An operator's own rows over the matrix."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpufleet.errors import FaultsFoundError
from gpufleet.stack.matrix import load
from gpufleet.stack.matrix.loader import load_from
from tests.unit.stack.matrix.valid import VALID, row, write


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return write(tmp_path / "m.yaml", VALID)


def test_a_row_is_added(base: Path, tmp_path: Path) -> None:
    own = {"releases": [row(branch=580, version="580.178.04", source="our mirror")]}
    matrix = load_from([base], write(tmp_path / "stack.yaml", own))
    newest = matrix.newest_release(580)
    assert newest
    assert (newest.version, newest.source, newest.place) == (
        "580.178.04",
        "our mirror",
        "stack.yaml: release 580.178.04",
    )
    assert [found.version for found in matrix.releases_of(580)] == ["580.95.05", "580.178.04"]


def test_a_row_of_the_same_key_is_replaced(base: Path, tmp_path: Path) -> None:
    own = {"gdrcopy": [VALID["gdrcopy"][0] | {"minimum_branch": 570, "source": "our measurements"}]}
    matrix = load_from([base], write(tmp_path / "stack.yaml", own))
    assert [(found.minimum_branch, found.source) for found in matrix.gdrcopy] == [(570, "our measurements")]


def test_its_rows_need_a_source_of_their_own(base: Path, tmp_path: Path) -> None:
    own = {"cuda_majors": [{"major": 13, "floor": 570}]}
    with pytest.raises(FaultsFoundError) as error:
        load_from([base], write(tmp_path / "stack.yaml", own))
    assert [str(fault) for fault in error.value.faults] == [
        "stack.yaml: cuda major 13: source is missing; name the document and section, or the address, that states it",
        "stack.yaml: cuda major 13: date is missing; give the day that the source was published or read",
    ]


def test_the_merged_matrix_is_checked_as_a_whole(base: Path, tmp_path: Path) -> None:
    own = {"cuda_majors": [row(major=13, floor=590)]}
    overlay = write(tmp_path / "stack.yaml", own)
    with pytest.raises(FaultsFoundError) as error:
        load_from([base], overlay)
    assert str(error.value) == (
        f"{overlay}: expected no faults, found 2 faults; correct the lines below; nothing was touched\n"
        "  m.yaml: cuda 13.0: 13.0 asks for driver 580.65.06, below the floor 590 of stack.yaml: cuda major 13; "
        "correct one of the two\n"
        "  m.yaml: nccl 2.28.3 13.0: runs from branch 580, below the floor 590 of stack.yaml: cuda major 13; "
        "correct one of the two"
    )


def test_a_row_twice_in_it_is_refused(base: Path, tmp_path: Path) -> None:
    own = {"cuda_majors": [row(major=13, floor=580), row(major=13, floor=581)]}
    with pytest.raises(FaultsFoundError) as error:
        load_from([base], write(tmp_path / "stack.yaml", own))
    assert [str(fault) for fault in error.value.faults] == [
        "stack.yaml: cuda major 13: is there already, in stack.yaml; keep one of the two"
    ]


def test_unknown_subjects_and_fields_are_refused_with_the_nearest(base: Path, tmp_path: Path) -> None:
    own = {"brunches": [], "cuda_majors": [row(major=13, flor=580)]}
    with pytest.raises(FaultsFoundError) as error:
        load_from([base], write(tmp_path / "stack.yaml", own))
    assert [str(fault) for fault in error.value.faults] == [
        "stack.yaml: there is no subject brunches; did you mean branches?",
        "stack.yaml: cuda major 13: floor is missing; add floor",
        "stack.yaml: cuda major 13: there is no field flor; did you mean floor?",
    ]


def test_it_lies_over_the_real_matrix_too(tmp_path: Path) -> None:
    own = {"gpu_products": [row(id="2331", name="H100 of ours", generation="hopper", source="nvidia-smi")]}
    matrix = load(write(tmp_path / "stack.yaml", own))
    product = matrix.product("2331")
    assert product
    assert product.name == "H100 of ours"
    assert len(matrix.rows) == len(load().rows)
