"""Molecule, the familiar face: its scenarios pass, and its idempotence step sees a deploy that drifts."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gpufleet.lab.lab import Lab
from gpufleet.project import ROOT
from tests.support.lab import lab_name

LAB = f"{lab_name()}-mol"


@pytest.fixture
def molecule_lab(state: Path, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a molecule run, whose lab is gone afterwards whatever happens."""
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "GPUFLEET_LAB": LAB,
        "GPUFLEET_STATE_DIR": str(state),
        "MOLECULE_EPHEMERAL_DIRECTORY": str(tmp_path / "ephemeral"),
        "NO_COLOR": "1",
    }
    try:
        yield environment
    finally:
        if (state / "labs" / LAB).exists():
            Lab.load(LAB).down()


def molecule(environment: dict[str, str], scenarios: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run molecule over the scenarios that match."""
    return subprocess.run(
        ["molecule", "test", *arguments],
        cwd=ROOT,
        env={**environment, "MOLECULE_GLOB": scenarios},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def test_every_role_has_a_scenario() -> None:
    scenarios = {path.parent.name for path in (ROOT / "tests/molecule").glob("*/molecule.yml")}
    roles = {path.parent.name for path in (ROOT / "roles").glob("*/options.py")}
    assert scenarios == roles | {"default"}


def test_the_scenarios_pass(molecule_lab: dict[str, str]) -> None:
    result = molecule(molecule_lab, "tests/molecule/*/molecule.yml", "--all")
    assert result.returncode == 0, (result.stdout + result.stderr)[-6000:]
