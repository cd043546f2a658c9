"""What the tests of the driver between versions share: one host, its deploys, and what shall be true after them."""

from __future__ import annotations

from gpufleet.converge.results import RunResult
from gpufleet.health import Outcome
from gpufleet.stack.versions import upstream
from tests.support.driver_watch import Sight
from tests.support.lab import Fleet

HOST = "d12"


def deploy(fleet: Fleet, version: str, host: str = HOST, **options: object) -> RunResult:
    """Declare a version on a host, and deploy the driver there."""
    fleet.declare(**{host: {"nvidia_driver": {"version": version, **options}}})
    return fleet.deploy("driver.py", limit=(host,))


def changes(result: RunResult, host: str = HOST) -> list[str]:
    """Names of the operations that changed a host, which came to its end."""
    assert result.failures() == []
    return [name.partition(" | ")[2] for name in result.hosts[host].as_dict()["changed_operations"]]


def assert_packages(sight: Sight, version: str) -> None:
    """Every package of the driver is installed at this version and on hold."""
    assert {upstream(found) for found in sight.versions.values()} == {version}
    assert sight.held, sight.wants


def assert_green(fleet: Fleet, host: str = HOST) -> None:
    """Every check of the role passes on a host."""
    checks = fleet.verify("nvidia_driver", limit=(host,)).of(host)
    assert checks
    assert [check for check in checks if check.outcome is not Outcome.PASS] == []
