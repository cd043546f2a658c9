"""DOCA-OFED with the lab's packages: on a stand-in of Ubuntu that has the driver, and on one of Enterprise Linux.

Its repository, key, pins and exclusions; its modules, the driver's built again after them, and the boot that takes
them; then back to the distribution's stack. The tests run in their order. What checks say of deviations is in
tests/unit/roles/test_infiniband_checks.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gpufleet.facts.packages import InstalledVersions
from gpufleet.health import Outcome
from gpufleet.lab import prerequisites
from gpufleet.lab.hosts import HostSpec, LabHost
from gpufleet.lab.inventory import doca_repository, nvidia_repository
from gpufleet.lab.lab import Lab
from tests.support.lab import Fleet, lab_name

HOSTS = {"u24": "ubuntu-24.04-stand-in/hgx-h100", "r9": "rocky-9-stand-in/hgx-h100"}
RELEASES = {"u24": "3.2.3", "r9": "3.2.2"}
DRIVER = {"version": "580.105.08", "source": "nvidia"}
#: Version of OFED's modules in these releases.
OFED = {"u24": "25.10-3.1.8", "r9": "25.10-2.4.1"}
#: Checks of what the kernel of a container host has not.
UNPROVEN = "the kernel shows no RDMA device"
REPLACED = "kernel: expected the installed network stack, found another build of {}; reboot the host"
#: Versions that tell whose the stack is, and of dkms, which is never DOCA's.
TELLING = ("doca-ofed", "rdma-core", "perftest", "dkms")
OWN = {
    "u24": {"dkms": "3.0.10-8+deb12u1", "perftest": "4.5+0.17-1", "rdma-core": "44.0-2"},
    "r9": {"dkms": "1.0-1.el9", "perftest": "1.0-1.el9", "rdma-core": "1.0-1.el9"},
}
DOCA = {
    "u24": {
        "dkms": "3.0.10-8+deb12u1",
        "doca-ofed": "3.2.3-019000",
        "perftest": "25.10.0-0.134.g8aff167",
        "rdma-core": "2510.0.11-1",
    },
    "r9": {
        "dkms": "1.0-1.el9",
        "doca-ofed": "3.2.2-035000.el9",
        "perftest": "25.10.0-0.134.g8aff167",
        "rdma-core": "2510.0.11-1.el9",
    },
}


@pytest.fixture(scope="module")
def fleet(state: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """The driver on one host, the distribution's stack on the other."""
    prerequisites.ensure(print)
    name = f"{lab_name()}-doca"
    try:
        lab = Lab.up(name, [HostSpec.parse(f"{host}={machine}") for host, machine in HOSTS.items()], say=print)
        fleet = Fleet(lab, tmp_path_factory.mktemp("doca") / "doca.py")
        mirrors = {"repositories": {"cuda": nvidia_repository(), "doca": doca_repository()}}
        fleet.declare(
            u24={"stack": mirrors, "nvidia_driver": DRIVER},
            r9={"stack": mirrors, "nvidia_driver": {"state": "absent"}, "infiniband": {}},
        )
        assert fleet.deploy("driver.py", "infiniband.py").failures() == []
        yield fleet
    finally:
        Lab.remove(name)


def failed(fleet: Fleet, *limit: str) -> dict[str, str]:
    """Message of every check that did not pass, by `host check`; what is unproven everywhere is left out."""
    checks = fleet.verify("infiniband", limit=limit).checks
    assert checks, "no check ran"
    return {
        f"{row.host} {row.check}": row.message
        for row in checks
        if row.outcome is not Outcome.PASS and row.message != UNPROVEN
    }


def versions(host: LabHost) -> dict[str, str]:
    """Versions of the telling packages that are installed."""
    installed = InstalledVersions().process(told(host, InstalledVersions().command()).splitlines())
    return {name: installed[name] for name in sorted(TELLING) if name in installed}


def told(host: LabHost, command: str) -> str:
    """What a command says on a host."""
    return host.execute(command).stdout.strip()


def test_enterprise_linux_has_a_stack_of_its_own(fleet: Fleet) -> None:
    assert versions(fleet.host("r9")) == {name: OWN["r9"][name] for name in ("perftest", "rdma-core")}
    assert failed(fleet, "r9") == {}


def test_doca_takes_its_place(fleet: Fleet) -> None:
    fleet.declare(**{host: {"infiniband": {"provider": "doca", "version": RELEASES[host]}} for host in HOSTS})
    assert fleet.deploy("infiniband.py").failures() == []
    assert {host: versions(fleet.host(host)) for host in HOSTS} == DOCA
    again = fleet.deploy("infiniband.py")
    assert (again.failures(), again.changed) == ([], 0)
    assert failed(fleet) == {
        "u24 kernel_runs_the_installed_stack": REPLACED.format("mlx5_core"),
        "r9 kernel_runs_the_installed_stack": REPLACED.format("ib_core, mlx5_core"),
    }


def test_the_driver_is_built_after_it_and_so_takes_peer_memory(fleet: Fleet) -> None:
    assert told(fleet.host("u24"), "modinfo -F depends nvidia-peermem") == "nvidia,ib_core"
    reasons = told(fleet.host("u24"), "cat /run/gpufleet/reboot-required/rdma-driver")
    assert reasons == "nvidia 580.105.08 was built again after mlnx-ofed-kernel; the next boot loads it"


def test_a_boot_takes_it(fleet: Fleet) -> None:
    for host in HOSTS:
        fleet.host(host).reboot()
        assert told(fleet.host(host), "cat /sys/module/ib_core/version") == OFED[host]
    assert failed(fleet) == {}
    assert fleet.deploy("infiniband.py").changed == 0


def test_back_to_the_distributions(fleet: Fleet) -> None:
    fleet.declare(**{host: {"infiniband": {"provider": "inbox"}} for host in HOSTS})
    assert fleet.deploy("infiniband.py").failures() == []
    assert {host: versions(fleet.host(host)) for host in HOSTS} == OWN
    again = fleet.deploy("infiniband.py")
    assert (again.failures(), again.changed) == ([], 0)
