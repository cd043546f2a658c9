"""Faults in words: what they mean, and words that mean none."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpufleet.errors import LabError
from gpufleet.lab.fabric import wanted
from tests.unit.lab.fabric.small import planned

END_OF_PORTS = "PORT is leaf-01/3 or 'gpu-01 mlx5_0', in quotes"


@pytest.mark.parametrize(
    ("words", "value"),
    [
        (["slow", "leaf-01/1"], "HDR"),
        (["slow", "leaf-01/1", "FDR"], "FDR"),
        (["slow", "gpu-02 mlx5_0"], "DDR"),
        (["slow", "spine-01/1"], "EDR"),
        (["narrow", "leaf-02/1"], "1x"),
        (["narrow", "leaf-01/8", "4x"], "4x"),
        (["errors", "leaf-01/3", "SymbolErrorCounter=0500"], "SymbolErrorCounter=500"),
    ],
)
def test_values(tmp_path: Path, words: list[str], value: str) -> None:
    assert wanted.read(planned(tmp_path), words[0], words[1:]).value == value


def test_a_cable_is_the_same_from_both_ends(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    leaf, device = (wanted.read(plan, "link-down", [end]) for end in ("leaf-01/1", "gpu-01 mlx5_0"))
    assert leaf.place == device.place
    assert (str(leaf), str(device)) == ("link-down leaf-01/1", "link-down 'gpu-01 mlx5_0'")
    one, other = (
        wanted.read(plan, "swapped", ends) for ends in (["leaf-01/1", "leaf-02/2"], ["leaf-02/2", "leaf-01/1"])
    )
    assert one.place == other.place
    assert [str(one.other(end)) for end in one.ends] == ["gpu-01 mlx5_0/1", "gpu-02 mlx5_1/1"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["link-dawn", "leaf-01/1"], "fabric: expected a known fault, found `link-dawn`; did you mean link-down?"),
        (["link-down"], f"fault link-down: expected PORT, found nothing; {END_OF_PORTS}"),
        (
            ["link-down", "gpu-01", "mlx5_0"],
            f"fault link-down: expected PORT, found `gpu-01 mlx5_0`; {END_OF_PORTS}",
        ),
        (["swapped", "leaf-01/1"], f"fault swapped: expected PORT PORT, found `leaf-01/1`; {END_OF_PORTS}"),
        (
            ["link-down", "leaf-03/1"],
            "fault link-down: expected a port of the plan, found `leaf-03/1`; "
            "write it as leaf-01/3 or 'gpu-01 mlx5_0', in quotes",
        ),
        (
            ["slow", "leaf-01/5"],
            "fault slow: expected a port with a cable, found leaf-01/5; choose one that the plan has under links",
        ),
        (
            ["swapped", "leaf-01/1", "gpu-01 mlx5_0"],
            "fault swapped: expected two cables, found leaf-01/1 and gpu-01 mlx5_0, the ends of one; "
            "name a port of another cable",
        ),
        (
            ["slow", "leaf-01/1", "QDR"],
            "fault slow: expected less than the planned NDR, as far as ibsim can, found `QDR`; "
            "choose one of FDR, EDR, HDR",
        ),
        (
            ["narrow", "leaf-01/1", "4x"],
            "fault narrow: expected less than the planned 4x, as far as ibsim can, found `4x`; choose one of 1x, 2x",
        ),
        (
            ["errors", "leaf-01/1", "SymbolErrors=5"],
            "fault errors: expected a known counter, found `SymbolErrors`; did you mean SymbolErrorCounter?",
        ),
        (
            ["errors", "leaf-01/1", "LinkDownedCounter=256"],
            "fault errors: expected LinkDownedCounter=0 to 255, found `LinkDownedCounter=256`; "
            "write it as SymbolErrorCounter=500",
        ),
        (
            ["manager-killed", "gpu-03"],
            "fault manager-killed: expected a known host of the plan, found `gpu-03`; did you mean gpu-02?",
        ),
    ],
)
def test_words_that_are_no_fault(tmp_path: Path, words: list[str], message: str) -> None:
    with pytest.raises(LabError) as refused:
        wanted.read(planned(tmp_path), words[0], words[1:])
    assert str(refused.value) == message


@pytest.mark.parametrize(("kind", "usual", "than"), [("slow", "speed: SDR", "SDR"), ("narrow", "width: 1x", "1x")])
def test_a_link_that_cannot_have_less(tmp_path: Path, kind: str, usual: str, than: str) -> None:
    text = f"""
speed: {usual.partition(" ")[2] if kind == "slow" else "NDR"}
width: {usual.partition(" ")[2] if kind == "narrow" else "4x"}
switches: {{leaf-01: {{role: leaf}}}}
hosts: {{gpu-01: {{mlx5_0: {{}}}}}}
links: {{leaf-01: {{1: gpu-01 mlx5_0}}}}
"""
    with pytest.raises(LabError) as refused:
        wanted.read(planned(tmp_path, text), kind, ["leaf-01/1"])
    assert str(refused.value) == (
        f"fault {kind}: expected a link that can have less than {than}, found leaf-01/1 - gpu-01 mlx5_0/1; "
        f"choose a link that is planned {'faster' if kind == 'slow' else 'wider'}"
    )
