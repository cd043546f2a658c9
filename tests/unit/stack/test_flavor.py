"""Open or proprietary kernel modules, where the wish leaves the choice to the hardware."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpufleet.stack.flavor import choose_flavor
from gpufleet.stack.machine import Hardware
from gpufleet.stack.matrix.driver_rows import Branch
from gpufleet.stack.wish import Wish
from tests.unit.stack.wishes import MATRIX


def flavor(devices: list[str], branch: Branch) -> tuple[str, str]:
    chosen, reason, _ = choose_flavor(Hardware(gpus=tuple(devices)), Wish(), branch, MATRIX)
    return chosen, reason


@given(st.integers(min_value=0, max_value=0xFFFF).map("{:04x}".format), st.sampled_from(MATRIX.branches))
def test_every_id_and_branch_has_modules_and_a_reason(device: str, branch: Branch) -> None:
    chosen, reason = flavor([device], branch)
    row = MATRIX.generation_of(device)
    assert reason
    if row and row.generation in {"maxwell", "pascal", "volta"}:
        assert chosen == "proprietary"
    elif row and row.generation in {"grace_hopper", "blackwell"}:
        assert chosen == "open"
    else:
        assert chosen == ("open" if branch.branch >= 560 else "proprietary")


@pytest.mark.parametrize(
    ("devices", "branch", "expected"),
    [
        (["1db6"], 570, ("proprietary", "Volta can run the proprietary modules only")),
        (["13f2", "1db6"], 535, ("proprietary", "Maxwell and Volta can run the proprietary modules only")),
        (["2330"] * 8, 535, ("proprietary", "proprietary is NVIDIA's default below branch 560")),
        (["2330"] * 8, 560, ("open", "open is NVIDIA's default from branch 560")),
        (["2330"] * 8, 615, ("open", "branch 615 has open modules only")),
        (["2342"], 535, ("open", "Grace Hopper can run the open modules only")),
        (["2901", "26b9"], 550, ("open", "Blackwell can run the open modules only")),
        ([], 550, ("proprietary", "proprietary is NVIDIA's default below branch 560")),
    ],
)
def test_default_modules(devices: list[str], branch: int, expected: tuple[str, str]) -> None:
    row = MATRIX.branch(branch)
    assert row is not None
    assert flavor(devices, row) == expected
