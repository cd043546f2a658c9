"""Inventories of the lab's hosts for the verification, and a place for checks that a test writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gpufleet.lab.inventory import hosts as lab_hosts
from tests.support.lab import Fleet
from tests.support.verification import CHECKS, Inventory


@pytest.fixture(scope="module")
def connections(fresh_fleet: Fleet) -> dict[str, dict[str, Any]]:
    """How each host of the lab is reached."""
    return {name: {**data, "_sudo": True, "sample": True} for name, data in lab_hosts(fresh_fleet.lab.name)}


@pytest.fixture
def inventory(connections: dict[str, dict[str, Any]], tmp_path: Path) -> Inventory:
    return Inventory(connections, tmp_path / "fleet.py")


@pytest.fixture
def checks(tmp_path: Path) -> Path:
    """A directory of checks whose one module a test writes."""
    directory = tmp_path / "checks"
    directory.mkdir()
    (directory / "conftest.py").write_text((CHECKS / "conftest.py").read_text())
    return directory
