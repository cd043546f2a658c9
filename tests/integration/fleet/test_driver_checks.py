"""Every check of the role `nvidia_driver` seen failing, on a fault of the lab or on a deviation made by hand."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

import pytest

from gpufleet.health import Outcome
from gpufleet.project import ROOT
from tests.support.driver_deviations import BATCHES, DECLARED, DEVIATIONS
from tests.support.driver_elsewhere import ELSEWHERE, UNSIGNED
from tests.support.driver_faults import FAULTS
from tests.support.lab import OLD, Fleet

ROLE, HOST = "nvidia_driver", "d12"


@pytest.fixture(scope="module")
def driven(fleet: Fleet) -> Iterator[Fleet]:
    """The fleet, with a module option on the host whose checks shall fail."""
    fleet.declare(**{HOST: {ROLE: DECLARED}})
    assert fleet.deploy("driver.py", limit=(HOST,)).failures() == []
    yield fleet
    fleet.declare(**{HOST: {ROLE: {"version": OLD}}})
    assert fleet.deploy("driver.py", limit=(HOST,)).failures() == []


@pytest.fixture(scope="module")
def words(driven: Fleet) -> Mapping[str, str]:
    """What the messages say of this very host."""
    run = driven.host(HOST).execute
    gpus = run("cd /proc/driver/nvidia/gpus && ls").stdout.split()
    return {
        "kernel": run("uname -r").stdout.strip(),
        "gpus": ", ".join(gpus),
        "gpu": gpus[0],
        "slot": gpus[0].removesuffix(".0"),
        "gpu_id": f"0000{gpus[0].upper()}",
        "lost": gpus[3],
        "lost_slot": gpus[3].removesuffix(".0"),
        "driver": run(f"readlink /sys/bus/pci/devices/{gpus[0]}/driver").stdout.strip(),
    }


def failed(fleet: Fleet) -> dict[str, str]:
    """Message of every check that did not pass."""
    checks = fleet.verify(ROLE, limit=(HOST,)).of(HOST)
    assert checks, "no check ran"
    return {check.check: check.message for check in checks if check.outcome is not Outcome.PASS}


def test_every_check_passes(driven: Fleet) -> None:
    verification = driven.verify(ROLE)
    assert [check for check in verification.checks if check.outcome is not Outcome.PASS] == []
    assert {len(checks) for checks in verification.hosts.values()} == {len(checks_of_the_role())}


@pytest.mark.parametrize("batch", BATCHES)
def test_deviations_are_seen(driven: Fleet, words: Mapping[str, str], batch: str) -> None:
    deviations, host = [DEVIATIONS[name] for name in BATCHES[batch]], driven.host(HOST)
    try:
        for deviation in deviations:
            host.execute(deviation.command.format(**words))
        found = failed(driven)
    finally:
        for deviation in reversed(deviations):
            host.execute(deviation.back.format(**words), check=False)
    messages = {check: text for deviation in deviations for check, text in deviation.messages.items()}
    assert found == {check: message.format(**words) for check, message in messages.items()}


@pytest.mark.parametrize(("kind", "value"), FAULTS)
def test_fault_is_seen(driven: Fleet, words: Mapping[str, str], kind: str, value: str) -> None:
    host = driven.host(HOST)
    try:
        host.fault(kind, value)
        found = failed(driven)
    finally:
        host.fault(kind, value, clear=True)
        host.execute("dmesg --clear")
    assert found == {check: message.format(**words) for check, message in FAULTS[kind, value].items()}


def test_nothing_is_left(driven: Fleet) -> None:
    assert failed(driven) == {}
    result = driven.deploy("driver.py", limit=(HOST,))
    assert (result.failures(), result.changed) == ([], 0)


def test_every_check_is_seen_failing() -> None:
    proofs = [deviation.messages for deviation in DEVIATIONS.values()] + list(FAULTS.values())
    # On hosts with NVIDIA's packages: test_families.
    proofs += [deviation.messages for _, deviation in ELSEWHERE.values()] + [UNSIGNED]
    assert {check for messages in proofs for check in messages} == checks_of_the_role()


def checks_of_the_role() -> set[str]:
    """Names of the checks in the module."""
    tree = ast.parse((ROOT / "tests" / "verify" / "test_nvidia_driver.py").read_text(encoding="utf-8"))
    functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    return {name.removeprefix("test_") for name in functions if name.startswith("test_")}
