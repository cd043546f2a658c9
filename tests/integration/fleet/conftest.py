"""The lab of this folder: two hosts with a real driver each, shared by tests that leave them as they found them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gpufleet.lab import prerequisites
from gpufleet.lab.hosts import HostSpec
from gpufleet.lab.lab import Lab
from tests.support.lab import OLD, TESLA, Fleet, lab_name

HOSTS = ("d12=debian-12/hgx-h100", "d13=debian-13/l40s-pcie")


@pytest.fixture(scope="session")
def fresh_fleet(state: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Two hosts as they come from the factory, nothing deployed yet."""
    prerequisites.ensure(print)
    try:
        lab = Lab.up(lab_name(), [HostSpec.parse(text) for text in HOSTS], say=print)
        fleet = Fleet(lab, tmp_path_factory.mktemp("inventory") / "fleet.py")
        fleet.declare(
            d12={"base": {}, "nvidia_driver": {"version": OLD}}, d13={"base": {}, "nvidia_driver": {"version": TESLA}}
        )
        yield fleet
    finally:
        Lab.remove(lab_name())


@pytest.fixture(scope="session")
def fleet(fresh_fleet: Fleet) -> Fleet:
    """The two hosts after deploys/site.py: a real driver built by DKMS on each."""
    result = fresh_fleet.deploy()
    assert result.failures() == []
    return fresh_fleet
