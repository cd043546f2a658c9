"""NVIDIA's repositories on stand-ins of Ubuntu and Rocky Linux: toolkits side by side, the default moves, one goes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from gpufleet.health import Outcome
from gpufleet.health.verification import Verification
from gpufleet.lab import prerequisites, vendors
from gpufleet.lab.hosts import HostSpec
from gpufleet.lab.lab import Lab
from gpufleet.project import ROOT
from tests.support.base_deviations import Deviation
from tests.support.lab import Fleet, lab_name

HOSTS = {"u24": "ubuntu-24.04-stand-in", "r9": "rocky-9-stand-in"}
DEPLOYS = ("cuda.py", "nccl.py")
TWO = ["12.9", "13.0"]

DEVIATIONS = [
    Deviation(
        "default_is_chosen",
        "update-alternatives --auto cuda",
        "/usr/local/cuda: expected /usr/local/cuda-12.9, chosen, found /usr/local/cuda-13.0, by priority",
    ),
    Deviation(
        "linker_finds_the_default",
        "true",
        "libcudart.so.12: expected one of CUDA 12.9, found "
        "/usr/local/cuda-13.0/targets/x86_64-linux/lib/libcudart.so.12",
    ),
    Deviation(
        "shells_find_the_default",
        "echo 'PATH=$PATH:/usr/local/cuda/bin' >>/etc/profile.d/cuda.sh",
        "PATH after /etc/profile.d/cuda.sh: expected /usr/bin:/bin:/usr/local/cuda/bin, found "
        "/usr/bin:/bin:/usr/local/cuda/bin:/usr/local/cuda/bin:/usr/local/cuda/bin",
    ),
    Deviation(
        "only_wanted_toolkits_are_recorded",
        "echo 13.0 >/etc/gpufleet/cuda-toolkits",
        "toolkits installed from here: expected ['12.9', '13.0'], found ['13.0']",
    ),
    Deviation(
        "compilers_answer",
        "chmod -x /usr/local/cuda-12.9/bin/nvcc",
        "/usr/local/cuda-12.9/bin/nvcc: expected release 12.9, found no answer",
        back="chmod +x /usr/local/cuda-12.9/bin/nvcc",
    ),
]


@pytest.fixture(scope="module")
def fleet(state: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Two hosts with two toolkits and NCCL for both; a lab of their own."""
    prerequisites.ensure(print)
    name = f"{lab_name()}-vendors"
    try:
        lab = Lab.up(name, [HostSpec.parse(f"{host}={system}/hgx-h100") for host, system in HOSTS.items()], say=print)
        fleet = Fleet(lab, tmp_path_factory.mktemp("inventory") / "fleet.py")
        declare(fleet, toolkits=TWO, default="12.9")
        assert fleet.deploy(*DEPLOYS).failures() == []
        yield fleet
    finally:
        Lab.remove(name)


def declare(fleet: Fleet, **options: Any) -> None:
    """Say which toolkits the hosts should have, from the lab's repositories in NVIDIA's place."""
    mirror = {"base_url": "http://archive:3142/nvidia/", "key_fingerprint": vendors.fingerprint()}
    data = {
        "stack": {"repositories": {"cuda": mirror}},
        "cuda": {"source": "nvidia", **options},
        "nccl": {"version": "2.28.3"},
    }
    fleet.declare(**dict.fromkeys(HOSTS, data))


def test_two_toolkits_and_a_second_run_that_changes_nothing(fleet: Fleet) -> None:
    assert failed(fleet.verify("cuda", "nccl")) == {host: {} for host in HOSTS}
    assert links(fleet) == dict.fromkeys(HOSTS, "/usr/local/cuda-12.9")
    result = fleet.deploy(*DEPLOYS)
    assert (result.failures(), result.changed) == ([], 0)


def test_checks_fail_on_their_deviations(fleet: Fleet) -> None:
    for host in HOSTS:
        apply(fleet, host, [deviation.command for deviation in DEVIATIONS])
    expected = {deviation.check: deviation.message for deviation in DEVIATIONS}
    assert failed(fleet.verify("cuda")) == dict.fromkeys(HOSTS, expected)

    for host in HOSTS:
        apply(fleet, host, [deviation.back for deviation in DEVIATIONS if deviation.back])
    assert fleet.deploy(*DEPLOYS).failures() == []
    assert failed(fleet.verify("cuda")) == {host: {} for host in HOSTS}


def test_the_default_moves_and_the_builds_of_nccl_with_it(fleet: Fleet) -> None:
    declare(fleet, toolkits=TWO, default="13.0")
    assert fleet.deploy(*DEPLOYS).failures() == []
    assert failed(fleet.verify("cuda", "nccl")) == {host: {} for host in HOSTS}
    assert links(fleet) == dict.fromkeys(HOSTS, "/usr/local/cuda-13.0")
    beside = {host: fleet.host(host).execute("ls -d /usr/local/cuda-*.*/nccl").stdout for host in HOSTS}
    assert beside == dict.fromkeys(HOSTS, "/usr/local/cuda-12.9/nccl\n")
    assert fleet.deploy(*DEPLOYS).changed == 0


def test_one_toolkit_goes_without_a_trace(fleet: Fleet) -> None:
    declare(fleet, toolkits=["13.0"])
    assert fleet.deploy(*DEPLOYS).failures() == []
    assert failed(fleet.verify("cuda", "nccl")) == {host: {} for host in HOSTS}
    for host in HOSTS:
        assert fleet.host(host).execute("ls -d /usr/local/cuda-12*; true").stdout == ""
    assert fleet.deploy(*DEPLOYS).changed == 0


def test_what_would_bring_a_driver_is_refused_before_it_runs(fleet: Fleet) -> None:
    """The package manager itself says what the metapackage would bring."""
    result = fleet.deploy(str(ROOT / "tests/support/deploys/metapackage.py"))
    found = "cuda-12-9 12.9.1-1 installed; cuda-runtime-12-9 12.9.1-1 installed"
    cure = "choose other packages, or bring the driver to that version by its own role first"
    for host, error in zip(result.hosts, result.failures(), strict=True):
        refusal = f"expected an installation that leaves the driver alone, found {found}; {cure}"
        assert f"{host}: cuda-12-9: {refusal}" in error
        assert "cuda-runtime-12-9" not in fleet.host(host).execute("ls /var/lib/dpkg/info; rpm -qa; true").stdout


def apply(fleet: Fleet, host: str, commands: Sequence[str]) -> None:
    """Run commands on a host, in order."""
    for command in commands:
        fleet.host(host).execute(command)


def links(fleet: Fleet) -> dict[str, str]:
    """What /usr/local/cuda leads to."""
    return {host: fleet.host(host).execute("readlink -f /usr/local/cuda").stdout.strip() for host in HOSTS}


def failed(verification: Verification) -> dict[str, dict[str, str]]:
    """Message of every check that did not pass and was not merely unproven, by host."""
    bad = (Outcome.FAIL, Outcome.ERROR)
    return {
        host: {check.check: check.message for check in checks if check.outcome in bad}
        for host, checks in verification.hosts.items()
    }
