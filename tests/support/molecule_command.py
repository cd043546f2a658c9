"""Run molecule as a developer does, over a lab of the test's choice."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from gpufleet.project import ROOT


def environment_of(lab: str, ephemeral: Path) -> dict[str, str]:
    """The environment of a molecule run over a lab; Ansible is told to print plain text."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    plain = {"NO_COLOR": "1", "ANSIBLE_NOCOLOR": "1"}
    return {**os.environ, "PATH": path, "GPUFLEET_LAB": lab, "MOLECULE_EPHEMERAL_DIRECTORY": str(ephemeral), **plain}


def molecule(environment: dict[str, str], scenarios: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `molecule test` over the scenarios that match."""
    return subprocess.run(
        ["molecule", "test", *arguments],
        cwd=ROOT,
        env={**environment, "MOLECULE_GLOB": scenarios},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
