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
from tests.support.lab import Fleet, lab_name

LAB = f"{lab_name()}-mol"


def environment_of(lab: str) -> dict[str, str]:
    """The environment of a molecule run over a lab; Ansible is told to print plain text."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "GPUFLEET_LAB": lab, "NO_COLOR": "1", "ANSIBLE_NOCOLOR": "1"}


@pytest.fixture
def molecule_lab(state: Path, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a molecule run, whose lab is gone afterwards whatever happens."""
    try:
        yield {**environment_of(LAB), "MOLECULE_EPHEMERAL_DIRECTORY": str(tmp_path / "ephemeral")}
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


def test_a_deploy_that_drifts_fails_the_idempotence_step(fresh_fleet: Fleet, tmp_path: Path) -> None:
    environment = {**environment_of(fresh_fleet.lab.name), "MOLECULE_EPHEMERAL_DIRECTORY": str(tmp_path / "drift")}
    result = molecule(environment, "tests/support/molecule/*/molecule.yml", "--scenario-name", "drift")
    printed = result.stdout + result.stderr
    assert result.returncode == 1, printed[-6000:]
    assert "[drift > converge] Executed: Successful" in printed
    assert "Idempotence test failed because of the following tasks:\n*  => Run pyinfra\n" in printed
