"""What the tests of the driver between versions share: one host, its deploys, and what shall be true after them."""

from __future__ import annotations

from gpufleet.converge.results import RunResult
from gpufleet.health import Outcome
from gpufleet.stack.versions import upstream
from tests.support.driver_watch import Sight
from tests.support.lab import Fleet

HOST = "d12"


def deploy(fleet: Fleet, version: str, **options: object) -> RunResult:
    """Declare a version on the host, and deploy the driver there."""
    fleet.declare(**{HOST: {"nvidia_driver": {"version": version, **options}}})
    return fleet.deploy("driver.py", limit=(HOST,))


def changes(result: RunResult) -> list[str]:
    """Names of the operations that changed the host, which came to its end."""
    assert result.failures() == []
    return [name.partition(" | ")[2] for name in result.hosts[HOST].as_dict()["changed_operations"]]


def assert_packages(sight: Sight, version: str) -> None:
    """Every package of the driver is installed at this version and on hold."""
    assert {upstream(found) for found in sight.versions.values()} == {version}
    assert sight.held, sight.wants


def assert_green(fleet: Fleet) -> None:
    """Every check of the role passes on the host."""
    checks = fleet.verify("nvidia_driver", limit=(HOST,)).of(HOST)
    assert checks
    assert [check for check in checks if check.outcome is not Outcome.PASS] == []
