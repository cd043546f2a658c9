"""The RDMA stack on hosts with adapters: rdma-core of a real Debian and of two stand-ins, and checks seen failing.

The kernel of container hosts shows no RDMA device and no bridge: tests/unit/operations/test_rdma_programs.py runs the
programs that name devices and set PCI Express up, and tests/unit/roles/test_infiniband_checks.py has all messages.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gpufleet.health import Outcome
from gpufleet.lab import prerequisites
from gpufleet.lab.hosts import HostSpec
from gpufleet.lab.lab import Lab
from tests.support import grub
from tests.support.lab import Fleet, lab_name

HOSTS = {"u24": "ubuntu-24.04-stand-in/hgx-h100", "d13": "debian-13/hgx-h100", "r10": "rocky-10-stand-in/hgx-h100"}
# Container hosts may not raise a limit, but lower it.
OPTIONS = {"memlock": {"limit": 64, "services": ["ssh.service"]}}
RULES = "/etc/udev/rules.d/60-rdma-persistent-naming.rules"
UNPROVEN = "the kernel shows no RDMA device"
NO_PERFTEST = "perftest: expected ib_write_bw and ib_write_lat, found none"
DROP_IN = "/etc/systemd/system/ssh.service.d/60-gpufleet-memlock.conf"


@pytest.fixture(scope="module")
def fleet(state: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Three hosts with adapters."""
    prerequisites.ensure(print)
    name = f"{lab_name()}-infiniband"
    try:
        lab = Lab.up(name, [HostSpec.parse(f"{host}={machine}") for host, machine in HOSTS.items()], say=print)
        fleet = Fleet(lab, tmp_path_factory.mktemp("infiniband") / "infiniband.py")
        fleet.declare(**{host: {"base": {}, "infiniband": OPTIONS} for host in HOSTS})
        assert fleet.deploy("base.py").failures() == []
        yield fleet
    finally:
        Lab.remove(name)


def failed(fleet: Fleet) -> dict[str, str]:
    """Message of every check that did not pass, by `host check`; what is unproven everywhere is left out."""
    checks = fleet.verify("infiniband").checks
    assert checks, "no check ran"
    found = {f"{row.host} {row.check}": row.message for row in checks if row.outcome is not Outcome.PASS}
    for check in ("devices_have_their_names", "ports_have_few_errors"):
        assert [found.pop(f"{host} {check}") for host in HOSTS] == [UNPROVEN] * len(HOSTS)
    return found


def test_the_second_run_changes_nothing(fleet: Fleet) -> None:
    assert fleet.deploy("infiniband.py").failures() == []
    again = fleet.deploy("infiniband.py")
    assert (again.failures(), again.changed) == ([], 0)
    assert failed(fleet) == {}


def test_a_service_that_runs_has_its_limit(fleet: Fleet) -> None:
    for name in HOSTS:
        limits = "cat /proc/$(systemctl show --property=MainPID --value ssh.service)/limits"
        line = fleet.host(name).execute(f"{limits} | grep 'Max locked memory'").stdout
        assert line.split()[3:5] == ["65536", "65536"]


def test_readers_accept_what_is_written(fleet: Fleet) -> None:
    assert fleet.host("d13").execute(f"udevadm verify --no-summary {RULES} 2>&1").stdout == ""
    for name in HOSTS:
        command = "systemd-analyze verify --man=no gpufleet-pcie.service ssh.service 2>&1"
        assert fleet.host(name).execute(command).stdout == ""


def test_modules_and_settings_come_back_at_boot(fleet: Fleet) -> None:
    for name in HOSTS:
        fleet.host(name).reboot()
    assert failed(fleet) == {}
    assert fleet.deploy("infiniband.py").changed == 0


def test_deviations_are_seen(fleet: Fleet) -> None:
    commands = (
        "dpkg --remove --force-depends perftest",
        "rmmod rdma_ucm",
        "sed -i /ib_umad/d /etc/modules-load.d/gpufleet-infiniband.conf",
        f"sed -i '$d' {RULES}",
        f"rm {DROP_IN} && systemctl daemon-reload",
        "systemctl disable --now gpufleet-pcie.service",
    )
    host = fleet.host("d13")
    rules = host.execute(f"sed -n 's/.*rdma-name[.]sh \\(.*\\)\"$/\\1/p' {RULES}").stdout.splitlines()
    for command in commands:
        host.execute(command)
    packages = "rdma-core, ibverbs-providers, ibverbs-utils, rdmacm-utils, infiniband-diags, perftest"
    modules = ["ib_umad", "ib_uverbs", "rdma_ucm"]
    assert failed(fleet) == {
        "d13 packages_are_installed": f"network stack: expected {packages}, found perftest not installed",
        "d13 modules_are_loaded": "modules of RDMA: expected them loaded, found no rdma_ucm",
        "d13 modules_are_loaded_at_boot": f"modules of RDMA at boot: expected {modules}, found {modules[1:]}",
        "d13 names_come_back_at_boot": f"udev's rules for RDMA devices: expected {rules}, found {rules[:-1]}",
        "d13 services_may_lock_memory": "locked memory of services: expected 65536, found ssh.service would get "
        "unlimited",
        "d13 pci_express_is_set_up_at_boot": "unit gpufleet-pcie: expected active and enabled, "
        "found inactive and disabled",
    }
    assert fleet.deploy("infiniband.py").failures() == []
    assert failed(fleet) == {}


def test_speed_is_measured_on_request(fleet: Fleet) -> None:
    """The program runs on the host as it stands, with Debian's own perftest, and finds nothing to measure between."""
    checks = ("d13 bandwidth_between_adapters", "d13 latency_between_adapters")
    fleet.declare(d13={"infiniband": {**OPTIONS, "performance": {"run": True}}})
    assert failed(fleet) == dict.fromkeys(checks, UNPROVEN)
    fleet.host("d13").execute("mv /usr/bin/ib_write_lat /root/")
    assert failed(fleet) == dict.fromkeys(checks, NO_PERFTEST)
    fleet.host("d13").execute("mv /root/ib_write_lat /usr/bin/")
    fleet.declare(d13={"infiniband": OPTIONS})


def test_doca_is_refused_where_there_is_none(fleet: Fleet) -> None:
    before = fleet.host("d13").execute("dpkg-query -W; ls -l --time-style=full-iso /etc/apt/sources.list.d").stdout
    fleet.declare(d13={"infiniband": {**OPTIONS, "provider": "doca"}})
    refused = fleet.deploy("infiniband.py", limit=("d13",))
    fleet.declare(d13={"infiniband": OPTIONS})
    text = "\n".join(map(str, refused.failures()))
    assert (
        "rdma_stack: expected inbox, as DOCA-OFED is made for debian-12, el-8, el-9, ubuntu-22.04, ubuntu-24.04" in text
    )
    after = fleet.host("d13").execute("dpkg-query -W; ls -l --time-style=full-iso /etc/apt/sources.list.d").stdout
    assert after == before


def test_grub_takes_the_arguments(fleet: Fleet) -> None:
    host, asked = fleet.host("d13"), {"iommu": "passthrough", "kernel_arguments": ["pci=noats"]}
    grub.install(host)
    fleet.declare(d13={"infiniband": {**OPTIONS, **asked}})
    assert fleet.deploy("infiniband.py", limit=("d13",)).failures() == []
    menu = grub.entries(host)
    assert menu, "no entry"
    assert all(entry[-2:] == ["iommu=pt", "pci=noats"] for entry in menu if "single" not in entry)
    assert all({"iommu=pt", "pci=noats"} <= set(entry) for entry in menu)
    again = fleet.deploy("infiniband.py", limit=("d13",))
    assert (again.failures(), again.changed) == ([], 0)
    words = "iommu=pt pci=noats"
    message = f"kernel: expected {words}, found no {words}; reboot the host"
    assert failed(fleet) == {"d13 kernel_has_its_arguments": message}
    fleet.declare(d13={"infiniband": OPTIONS})
    assert fleet.deploy("infiniband.py", limit=("d13",)).failures() == []
    assert not any({"iommu=pt", "pci=noats"} & set(entry) for entry in grub.entries(host))
    assert failed(fleet) == {}
