"""Molecule's idempotence step sees a deploy that drifts."""

from __future__ import annotations

from pathlib import Path

from tests.support.lab import Fleet
from tests.support.molecule_command import environment_of, molecule


def test_a_deploy_that_drifts_fails_the_idempotence_step(fresh_fleet: Fleet, tmp_path: Path) -> None:
    environment = environment_of(fresh_fleet.lab.name, tmp_path / "drift")
    result = molecule(environment, "tests/support/molecule/*/molecule.yml", "--scenario-name", "drift")
    printed = result.stdout + result.stderr
    assert result.returncode == 1, printed[-6000:]
    assert "[drift > converge] Executed: Successful" in printed
    assert "Idempotence test failed because of the following tasks:\n*  => Run pyinfra\n" in printed
