"""Molecule, the familiar face: every role has a scenario, and the scenarios pass."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gpufleet.lab.lab import Lab
from gpufleet.project import ROOT
from tests.support.lab import lab_name
from tests.support.molecule_command import environment_of, molecule

LAB = f"{lab_name()}-mol"


@pytest.fixture
def molecule_lab(state: Path, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a molecule run, whose lab is gone afterwards whatever happens."""
    try:
        yield environment_of(LAB, tmp_path / "ephemeral")
    finally:
        if (state / "labs" / LAB).exists():
            Lab.load(LAB).down()


def test_every_role_has_a_scenario() -> None:
    scenarios = {path.parent.name for path in (ROOT / "tests/molecule").glob("*/molecule.yml")}
    roles = {path.parent.name for path in (ROOT / "roles").glob("*/options.py")}
    assert scenarios == roles | {"default"}


def test_the_scenarios_pass(molecule_lab: dict[str, str]) -> None:
    result = molecule(molecule_lab, "tests/molecule/*/molecule.yml", "--all")
    assert result.returncode == 0, f"{result.stdout[-12000:]}\n{result.stderr[-2000:]}"
