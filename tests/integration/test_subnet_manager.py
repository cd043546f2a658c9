"""The real OpenSM on a simulated fabric, two managers on one host: one story in the order of the tests.

Both run by what the role renders; the master is stopped and comes back; partitions change without a restart; the log
rotates; checks see what is wrong; and nothing is left of it in the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gpufleet.health import Outcome
from gpufleet.lab import prerequisites
from gpufleet.lab.hosts import HostSpec
from gpufleet.lab.lab import Lab
from tests.support.lab import Fleet, lab_name
from tests.support.opensm_fabric import GUIDS, HOST, PLAN, PROFILE, wait_for

ROLE, DEPLOY = "subnet_manager", "subnet_manager.py"
MASTER, STANDBY = "mlx5_0-1", "mlx5_1-1"
TENANT = {"name": "tenant", "key": 0x12, "ipoib": True, "mtu": 2048, "rate": 10, "members": {"ALL": "full"}}
WANTED: dict[str, Any] = {
    "ports": [{"device": "mlx5_0", "priority": 12}, {"device": "mlx5_1", "root_guids": ["0x200000"]}],
    "priority": 3,
    "routing": ["updn", "ftree", "minhop"],
    "partitions": [TENANT],
    "qos": {"max_vls": 4},
    "failover": {"poll_ms": 500, "retries": 2},
    "sweep_interval": 2,
}


@pytest.fixture(scope="module")
def fleet(state: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """One host with a fabric of its own."""
    prerequisites.ensure(print)
    name, folder = f"{lab_name()}-opensm", tmp_path_factory.mktemp("opensm")
    (folder / "fabric.yaml").write_text(PLAN)
    try:
        lab = Lab.up(name, [HostSpec.parse(f"{HOST}=debian-12/{PROFILE}")], say=print, fabric=folder / "fabric.yaml")
        fleet = Fleet(lab, folder / "opensm.py")
        fleet.declare(**{HOST: {ROLE: WANTED}})
        yield fleet
    finally:
        Lab.remove(name)


def failing(fleet: Fleet) -> dict[str, str]:
    """Message of every check that did not pass."""
    checks = fleet.verify(ROLE).checks
    assert checks, "no check ran"
    return {row.check: row.message for row in checks if row.outcome is not Outcome.PASS}


def pid(fleet: Fleet, instance: str) -> str:
    """Main process of an instance."""
    return fleet.host(HOST).execute(f"systemctl show -p MainPID --value gpufleet-opensm@{instance}").stdout.strip()


def deployed(fleet: Fleet, **changes: Any) -> int:
    """Deploy with other options; return how many operations changed something, the second time none."""
    fleet.declare(**{HOST: {ROLE: {**WANTED, **changes}}})
    result = fleet.deploy(DEPLOY)
    assert result.failures() == []
    again = fleet.deploy(DEPLOY)
    assert (again.failures(), again.changed) == ([], 0)
    return result.changed


def until_master(fleet: Fleet, device: str) -> None:
    """Wait until the port of a device answers as master, and every port knows it as such: its sweep is done."""
    wait_for(fleet.host(HOST), f"sminfo -C {device} -P 1 -D 0", "SMINFO_MASTER")
    for port in GUIDS:
        wait_for(fleet.host(HOST), f"sminfo -C {port}", f"sm guid {int(GUIDS[device], 16):#x},")


def test_two_managers_one_master(fleet: Fleet) -> None:
    assert deployed(fleet) > 0
    until_master(fleet, "mlx5_0")
    wait_for(fleet.host(HOST), "saquery SMIR", GUIDS["mlx5_1"])
    wait_for(fleet.host(HOST), "sminfo -C mlx5_1 -P 1 -D 0", "SMINFO_STANDBY")
    assert failing(fleet) == {}


def test_opensm_took_every_option(fleet: Fleet) -> None:
    """What it loads it says; what is its own default it does not."""
    host = fleet.host(HOST)
    names = host.execute(f"grep -v '^#' /etc/gpufleet/opensm/{STANDBY}.opts | cut -d' ' -f1").stdout.split()
    log = host.execute(f"journalctl -q -o cat -u gpufleet-opensm@{STANDBY}").stdout
    loaded = {line.split(":")[1].split("=")[0].strip() for line in log.splitlines() if "Loading Cached Option:" in line}
    assert loaded <= set(names)
    assert {"guid", "sm_priority", "root_guid_file", "routing_engine", "qos_max_vls", "log_file"} <= loaded


def test_a_stopped_master_is_replaced_and_comes_back(fleet: Fleet) -> None:
    host = fleet.host(HOST)
    host.execute(f"systemctl stop gpufleet-opensm@{MASTER}")
    until_master(fleet, "mlx5_1")
    assert "every_instance_runs" in failing(fleet)
    assert deployed(fleet) == 1
    until_master(fleet, "mlx5_0")


def test_partitions_change_without_a_restart(fleet: Fleet) -> None:
    before = [pid(fleet, instance) for instance in (MASTER, STANDBY)]
    deployed(fleet, partitions=[{**TENANT, "key": 0x34}])
    wait_for(fleet.host(HOST), "smpquery -C mlx5_1 -P 1 -D pkeys 0", "0x8034")
    assert [pid(fleet, instance) for instance in (MASTER, STANDBY)] == before
    assert failing(fleet) == {}


def test_the_log_rotates(fleet: Fleet) -> None:
    host = fleet.host(HOST)
    host.execute("logrotate --force /etc/logrotate.d/gpufleet-opensm")
    wait_for(host, f"find /proc/{pid(fleet, MASTER)}/fd -printf '%l\\n'", f"/{MASTER}/opensm.log\n")
    assert host.execute(f"ls /var/log/gpufleet-opensm/{MASTER}").stdout.split().count("opensm.log.1") == 1
    assert failing(fleet) == {}


def test_options_that_opensm_cannot_read_are_seen(fleet: Fleet) -> None:
    path = f"/etc/gpufleet/opensm/{STANDBY}.opts"
    fleet.host(HOST).execute(f"echo bogus_option 1 >>{path} && systemctl restart gpufleet-opensm@{STANDBY}")
    wait_for(fleet.host(HOST), "sminfo -C mlx5_1 -P 1 -D 0", "SMINFO_STANDBY")
    found = failing(fleet)
    assert found["options_are_as_declared"] == f"{path}: expected the declared options, found 'bogus_option 1'"
    assert found["options_and_partitions_are_in_force"] == (
        "subnet manager: expected options that OpenSM reads, "
        f"found {{'{STANDBY}': ['Unrecognized token: \"bogus_option\"']}}"
    )


def test_absent_leaves_nothing(fleet: Fleet) -> None:
    deployed(fleet, state="absent")
    assert failing(fleet) == {}
    assert fleet.host(HOST).execute("pgrep -x opensm", check=False).returncode == 1
