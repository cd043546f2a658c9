"""A fabric of eight hosts and two rails, from nothing to proved: one story in the order of the tests.

It comes up by one deploy with the real OpenSM on two hosts; the real diagnostics agree with the plan, and so does
`gpufleet fabric check`; each fault is found with both its ends, and nothing is found when it is gone; a killed master
is replaced.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gpufleet import cli
from gpufleet.health import Outcome
from gpufleet.lab import prerequisites
from gpufleet.lab.hosts import HostSpec
from gpufleet.lab.lab import Lab
from tests.support import simulated_fabric as simulated
from tests.support.lab import Fleet, lab_name
from tests.support.simulated_fabric import LANE, PLAN, RATE, SPEED, TWO_TIER, until_master, until_settled

HOSTS = TWO_TIER.hosts()
MASTER, STANDBY, ASKED = "gpu-1", "gpu-5", "gpu-1 mlx5_0"
PRIORITIES = {MASTER: 12, STANDBY: 5}
DEPLOY = "fabric.py"
STACK = {
    "ports": {"mlx5_0": {"rate": RATE}, "mlx5_1": {"rate": RATE}},
    "memlock": {"services": []},
    "acs": "untouched",
}
MANAGER: dict[str, Any] = {
    "ports": [{"device": "mlx5_0"}],
    "failover": {"poll_ms": 500, "retries": 2},
    "sweep_interval": 2,
}
SIZES = "8 hosts, 6 switches, 32 cables planned, {} links found"
HEALTHY = f"{SIZES.format(32)}: no findings"
OF_A_FILE = "note: not in a saved file, so not checked: counters, states of ports that are down, subnet managers"
UNIT, OPTIONS = "gpufleet-opensm@mlx5_0-1", "/etc/gpufleet/opensm/mlx5_0-1.opts"


@pytest.fixture(scope="module")
def fleet(state: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Eight hosts, cabled as planned, and nothing of InfiniBand on them."""
    prerequisites.ensure(print)
    name, folder = f"{lab_name()}-fabric", tmp_path_factory.mktemp("fabric")
    (folder / "fabric.yaml").write_text(PLAN)
    try:
        hosts = [HostSpec.parse(f"{host}=debian-12/hgx-a100") for host in HOSTS]
        fleet = Fleet(Lab.up(name, hosts, fabric=folder / "fabric.yaml", say=print), folder / "fleet.py")
        fleet.declare(**{host: {"infiniband": STACK} for host in HOSTS})
        for host, priority in PRIORITIES.items():
            fleet.declare(**{host: {"subnet_manager": {**MANAGER, "priority": priority}}})
        yield fleet
    finally:
        Lab.remove(name)


def check(fleet: Fleet, *arguments: str) -> list[str]:
    """What `gpufleet fabric check` prints; its exit status must be in line with it."""
    result = CliRunner().invoke(cli.app, ["fabric", "check", str(fleet.inventory), *arguments])
    lines = result.stdout.splitlines()
    assert result.exit_code == (0 if lines[-1:] == [HEALTHY] else 1), result.output
    return lines


def until_managed(fleet: Fleet, by: str, managers: int) -> None:
    """Wait until ports at both ends have this master, which lists so many managers, and all links are up."""
    for name in (MASTER, "gpu-8"):
        priority = PRIORITIES[by]
        simulated.until(fleet.host(name), "sminfo -C mlx5_0", f"priority {priority} state 3 SMINFO_MASTER")
    simulated.until(fleet.host(MASTER), "saquery -C mlx5_0 SMIR | grep -c LID", f"{managers}\n")
    until_settled(fleet.host(MASTER))


def test_one_deploy_brings_it_up(fleet: Fleet) -> None:
    assert fleet.deploy(DEPLOY).failures() == []
    until_managed(fleet, MASTER, 2)
    again = fleet.deploy(DEPLOY)
    assert (again.failures(), again.changed) == ([], 0)


def test_the_real_diagnostics_agree_with_the_plan(fleet: Fleet) -> None:
    for name in HOSTS:
        found = simulated.devices(fleet.host(name).execute("ibstat").stdout)
        assert [found[device] for device in ("mlx5_0", "mlx5_1")] == [("Active", "LinkUp", str(RATE))] * 2
    host = fleet.host("gpu-8")
    text = host.execute("ibnetdiscover -C mlx5_1").stdout
    assert simulated.discovered(text) == simulated.cables(TWO_TIER.cables, f"4x{SPEED}")
    links = simulated.linked(host.execute("iblinkinfo -C mlx5_1 -l").stdout)
    assert links == simulated.cables(TWO_TIER.cables, f"4X {LANE} Gbps Active/ LinkUp")
    saved = fleet.inventory.with_name("net.txt")
    saved.write_text(text)
    assert check(fleet, "--from", str(saved)) == [OF_A_FILE, HEALTHY]


def test_every_check_of_its_roles_passes(fleet: Fleet) -> None:
    found = fleet.verify("infiniband", "subnet_manager", limit=(MASTER, STANDBY, "gpu-8"))
    assert {row.outcome for row in found.checks} == {Outcome.PASS}
    assert {(row.host, row.role) for row in found.checks} == {
        (host, role) for host in (MASTER, STANDBY, "gpu-8") for role in ("infiniband", "subnet_manager")
    }


def test_nothing_is_found_on_a_healthy_fabric(fleet: Fleet) -> None:
    first = "note: no former reading of the counters: errors per hour are told from the next check on"
    assert check(fleet) == [first, HEALTHY]
    assert check(fleet, "--host", "gpu-8") == [HEALTHY]


FAULTS = {
    "link down to a host": (
        ("link-down", "gpu-4 mlx5_1"), 31,
        "missing: leaf-2-01/4 - gpu-4 mlx5_1/1: expected this cable, found nothing at leaf-2-01/4 (Down/Polling); "
        "nothing at gpu-4 mlx5_1/1; plug it in, or replace it",
    ),
    "link down to a spine": (
        ("link-down", "leaf-2-02/6"), 31,
        "missing: leaf-2-02/6 - spine-02/7: expected this cable, found nothing at leaf-2-02/6 (Down/Polling); "
        "nothing at spine-02/7 (Down/Polling); plug it in, or replace it",
    ),
    "swapped on a leaf": (
        ("swapped", "leaf-1-02/1", "leaf-1-02/3"), 32,
        "swapped: leaf-1-02/1 - gpu-5 mlx5_0/1 and leaf-1-02/3 - gpu-7 mlx5_0/1: expected these two cables, "
        "found leaf-1-02/1 - gpu-7 mlx5_0/1 and leaf-1-02/3 - gpu-5 mlx5_0/1; exchange the two plugs at one side",
    ),
    "swapped between rails": (
        ("swapped", "leaf-1-01/2", "leaf-2-01/2"), 32,
        "swapped: leaf-1-01/2 - gpu-2 mlx5_0/1 and leaf-2-01/2 - gpu-2 mlx5_1/1: expected these two cables, found "
        "leaf-1-01/2 - gpu-2 mlx5_1/1 (gpu-2 mlx5_1 is of rail 2, leaf-1-01 of rail 1) and "
        "leaf-2-01/2 - gpu-2 mlx5_0/1 (gpu-2 mlx5_0 is of rail 1, leaf-2-01 of rail 2); "
        "exchange the two plugs at one side",
    ),
    "slow": (
        ("slow", "gpu-3 mlx5_0", "EDR"), 32,
        "slow: leaf-1-01/3 - gpu-3 mlx5_0/1: expected 4x HDR, found 4x EDR; "
        "reseat or replace the cable, then read both ports' settings",
    ),
    "narrow": (
        ("narrow", "leaf-1-01/5"), 32,
        "narrow: leaf-1-01/5 - spine-01/1: expected 4x HDR, found 1x HDR; "
        "reseat or replace the cable, then read both ports' settings",
    ),
    "errors": (
        ("errors", "leaf-1-02/2", "SymbolErrorCounter=700"), 32,
        "errors: leaf-1-02/2 - gpu-6 mlx5_0/1: expected at most 10 SymbolErrorCounter an hour, found 700 in the last "
        "hour at leaf-1-02/2 (symbols that were damaged on the way); clean or replace the cable",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_at_both_ends_and_gone_with_it(fleet: Fleet, name: str) -> None:
    fault, links, finding = FAULTS[name]
    fleet.lab.fabric.fault(*fault)
    until_settled(fleet.host(MASTER))
    assert check(fleet) == [finding, f"{SIZES.format(links)}: 1 finding"]
    fleet.lab.fabric.fault(*fault, clear=True)
    until_settled(fleet.host(MASTER))
    assert check(fleet) == [HEALTHY]


@pytest.mark.parametrize("name", ["slow", "narrow"])
def test_settings_do_not_mend_a_cable(fleet: Fleet, name: str) -> None:
    """A manager writes in every sweep what it read before: done here by hand, with the port's full speed and width."""
    fault, links, finding = FAULTS[name]
    port = {"slow": "-D 0 1", "narrow": "-D 0,1 5"}[name]
    fleet.lab.fabric.fault(*fault)
    fleet.host("gpu-3").execute(f"ibportstate -C mlx5_0 {port} width 2 espeed 4")
    assert check(fleet) == [finding, f"{SIZES.format(links)}: 1 finding"]
    fleet.lab.fabric.fault(*fault, clear=True)
    assert check(fleet) == [HEALTHY]


def test_a_killed_master_is_replaced(fleet: Fleet) -> None:
    fleet.lab.fabric.fault("manager-killed", MASTER)
    until_managed(fleet, STANDBY, 1)
    assert check(fleet) == [HEALTHY]


def test_no_master_is_found_and_the_first_comes_back(fleet: Fleet) -> None:
    fleet.lab.fabric.fault("manager-killed", STANDBY)
    assert check(fleet) == [
        f"subnet manager: {ASKED}: expected one master, found none; start opensm, and read its log",
        f"note: {ASKED}: counters not checked: ibqueryerrors did not come to its end (Query SA failed: Connection "
        "timed out; sa call path_query failed)",
        f"{SIZES.format(32)}: 1 finding",
    ]
    for name in (STANDBY, MASTER):
        fleet.lab.fabric.fault("manager-killed", name, clear=True)
        until_master(fleet.host(name))
    until_managed(fleet, MASTER, 2)
    assert check(fleet) == [HEALTHY]


def test_two_masters_that_ignore_each_other_are_found(fleet: Fleet) -> None:
    """With another sm_key neither of them has the other in its list."""
    fleet.host(STANDBY).execute(f"systemctl stop {UNIT}")
    for name, key in ((MASTER, 1), (STANDBY, 5)):
        lines = f"sm_key {key:#x}\\nexit_on_fatal FALSE\\n"
        fleet.host(name).execute(f"printf '{lines}' >>{OPTIONS} && systemctl restart {UNIT}")
        until_master(fleet.host(name))
    simulated.until(fleet.host(MASTER), "saquery -s | grep -c '[^_]base_lid'", "2")
    until_settled(fleet.host(MASTER))
    assert check(fleet) == [
        f"subnet manager: {ASKED}: expected one master, found 2: gpu-1 mlx5_0 (priority 12), "
        "gpu-5 mlx5_0 (priority 5); stop all but one, and give them the same sm_key and partitions",
        f"{SIZES.format(32)}: 1 finding",
    ]
    assert fleet.deploy(DEPLOY, limit=(MASTER, STANDBY)).failures() == []
    until_managed(fleet, MASTER, 2)
    assert check(fleet) == [HEALTHY]
