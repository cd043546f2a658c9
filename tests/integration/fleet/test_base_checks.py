"""Every check of the role `base` seen failing on a deviation made by hand, and green again after a deploy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from gpufleet.health import Outcome
from gpufleet.health.verification import Verification
from tests.support.base_deviations import DECLARED, FIRST, HOSTS, SECOND, Deviation
from tests.support.lab import Fleet


@pytest.fixture(scope="module")
def based(fresh_fleet: Fleet) -> Iterator[Fleet]:
    """The two hosts with a base whose limits these hosts can show."""
    before = {name: fresh_fleet.declared[name]["base"] for name in HOSTS}
    fresh_fleet.declare(**{name: {"base": DECLARED} for name in HOSTS})
    assert fresh_fleet.deploy("base.py").failures() == []
    yield fresh_fleet
    fresh_fleet.declare(**{name: {"base": before[name]} for name in HOSTS})
    assert fresh_fleet.deploy("base.py").failures() == []


@pytest.mark.parametrize("deviations", [FIRST, SECOND], ids=["first", "second"])
def test_every_check_fails_on_its_deviation(based: Fleet, deviations: Sequence[Deviation]) -> None:
    green = based.verify("base")
    assert failed(green) == {name: {} for name in HOSTS}

    words = {name: wording(based, name) for name in HOSTS}
    for name in HOSTS:
        for deviation in deviations:
            based.host(name).execute(deviation.command)
    expected = {name: {d.check: d.message.format(**words[name]) for d in deviations} for name in HOSTS}
    assert failed(based.verify("base")) == expected

    for name in HOSTS:
        for deviation in deviations:
            based.host(name).execute(deviation.back or "true")
    assert based.deploy("base.py").failures() == []
    assert outcomes(based.verify("base")) == outcomes(green)


def wording(fleet: Fleet, name: str) -> dict[str, str]:
    """What the messages say of this very host."""
    kernel = fleet.host(name).execute("apt-mark showhold | grep ^linux-").stdout.split()
    return {
        "host": name,
        "running": fleet.host(name).execute("uname -r").stdout.strip(),
        "kernel": ", ".join(map(repr, kernel)),
        "still_held": ", ".join(repr(package) for package in kernel if package != "linux-image-amd64"),
    }


def outcomes(verification: Verification) -> dict[tuple[str, str], Outcome]:
    """Outcome of every check of every host."""
    return {(check.host, check.check): check.outcome for check in verification.checks}


def failed(verification: Verification) -> dict[str, dict[str, str]]:
    """Message of every check that did not pass and was not merely unproven, by host."""
    bad = (Outcome.FAIL, Outcome.ERROR)
    return {
        host: {check.check: check.message for check in checks if check.outcome in bad}
        for host, checks in verification.hosts.items()
    }
