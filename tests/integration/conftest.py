"""The lab of this test run: two hosts, deployed once, shared by the tests that do not destroy them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gpufleet.lab import prerequisites
from gpufleet.lab.hosts import HostSpec
from gpufleet.lab.lab import Lab
from tests.support.lab import OLD, TRIXIE, Fleet, lab_name

HOSTS = ("d12=debian-12/hgx-h100", "d13=debian-13/l40s-pcie")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs container hosts."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.lab)


@pytest.fixture(scope="session")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A state directory of this run's own, so that a developer's labs are neither seen nor touched."""
    directory = tmp_path_factory.mktemp("state")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GPUFLEET_STATE_DIR", str(directory))
        patch.setenv("GPUFLEET_LAB", lab_name())
        yield directory


@pytest.fixture(scope="session")
def fresh_fleet(state: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Two hosts as they come from the factory, nothing deployed yet."""
    prerequisites.ensure(print)
    try:
        lab = Lab.up(lab_name(), [HostSpec.parse(text) for text in HOSTS], say=print)
        fleet = Fleet(lab, tmp_path_factory.mktemp("inventory") / "fleet.py")
        fleet.declare(
            d12={"base": {}, "nvidia_driver": {"version": OLD}}, d13={"base": {}, "nvidia_driver": {"version": TRIXIE}}
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
