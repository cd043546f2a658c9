"""The driver's companions on three machines at once: NVSwitches, NVLink5 and a compute tray, with packages of the lab.

One story in the order of the tests: install with 570, upgrade to 590, go back to 580 where one host has to wait for a
reboot, boot, every check seen failing, IMEX left to the DRA driver and back, and all of it removed again. The hosts of
Ubuntu and Rocky Linux are stand-ins.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from gpufleet.converge.results import RunResult
from gpufleet.health import Outcome
from gpufleet.lab import prerequisites
from gpufleet.lab.hosts import HostSpec
from gpufleet.lab.inventory import hosts as lab_hosts
from gpufleet.lab.inventory import nvidia_repository
from gpufleet.lab.lab import Lab
from gpufleet.project import ROOT
from tests.support.companion_deviations import FIRST, LEFT, OFF, SECOND, Deviation
from tests.support.lab import Fleet, lab_name

HOSTS = {"u24": "ubuntu-24.04-stand-in/hgx-h100", "r9": "rocky-9-stand-in/hgx-b200", "d12": "debian-12/gb200-tray"}
ROLES = ("fabric_manager", "imex", "gpudirect", "dcgm")
COMPANIONS = tuple(f"{role}.py" for role in ROLES)
DEPLOYS = ("driver.py", *COMPANIONS)
DAEMONS = {"u24": "nvidia-fabricmanager", "r9": "nvidia-fabricmanager", "d12": "nvidia-imex"}
#: Units of each host in the order in which they have to start; those side by side may start in any.
ORDER = {
    "u24": ("nvidia-persistenced", "nvidia-fabricmanager", "nvidia-dcgm"),
    "r9": ("systemd-modules-load", "nvidia-persistenced", "nvidia-fabricmanager", "nvidia-dcgm"),
    "d12": ("nvidia-persistenced", "nvidia-imex"),
}
PROGRAMS = {"nvidia-fabricmanager": "nv-fabricmanager", "nvidia-imex": "nvidia-imex"}


@pytest.fixture(scope="module")
def fleet(state: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Three hosts with their base, and NVIDIA's packages declared once."""
    prerequisites.ensure(print)
    name = f"{lab_name()}-companions"
    try:
        lab = Lab.up(name, [HostSpec.parse(f"{host}={machine}") for host, machine in HOSTS.items()], say=print)
        fleet = Fleet(lab, tmp_path_factory.mktemp("companions") / "companions.py")
        repository = {"stack": {"repositories": {"cuda": nvidia_repository()}}}
        fleet.declare(**{host: {"base": {}, **repository, **wanted(nodes(fleet))} for host in HOSTS})
        declare(fleet, "570.195.03")
        assert fleet.deploy("base.py").failures() == []
        yield fleet
    finally:
        Lab.remove(name)


def nodes(fleet: Fleet) -> list[str]:
    """Addresses of the hosts."""
    return [data["ssh_hostname"] for _, data in lab_hosts(fleet.lab.name)]


def wanted(addresses: list[str]) -> dict[str, Any]:
    """Data of the roles, the same on every host: the hardware decides."""
    return {
        "fabric_manager": {},
        "imex": {"nodes": addresses},
        "gpudirect": {"gdrcopy": "2.5.1"},
        "dcgm": {"version": "4.4.1"},
    }


def declare(fleet: Fleet, version: str) -> None:
    """Declare a driver."""
    fleet.declare(**{host: {"nvidia_driver": {"version": version, "source": "nvidia"}} for host in HOSTS})


def versions(fleet: Fleet, host: str) -> dict[str, str]:
    """What every part of the driver and its companion says of itself."""
    script = (
        "echo module $(cat /sys/module/nvidia/version); "
        "echo userspace $(nvidia-smi --query-gpu=driver_version --format=csv,noheader | sort -u); "
        f"echo daemon $({PROGRAMS[DAEMONS[host]]} --version); echo state $(systemctl is-active {DAEMONS[host]})"
    )
    rows = fleet.host(host).execute(script).stdout.splitlines()
    return {row.split()[0]: row.split()[-1] for row in rows}


def failed(fleet: Fleet) -> dict[str, str]:
    """Message of every check of the companions that did not pass, by `host role check`.

    The kernel of container hosts shows no RDMA device, so that nothing tells whether one can reach GPU memory.
    """
    checks = fleet.verify(*ROLES).checks
    assert checks, "no check ran"
    found = {f"{row.host} {row.role} {row.check}": row.message for row in checks if row.outcome is not Outcome.PASS}
    silent = {"path_is_registered": "the kernel shows no RDMA device"}
    return {name: message for name, message in found.items() if silent.get(name.split()[2]) != message}


def unchanged(result: RunResult) -> bool:
    """Whether a run came to its end and changed nothing."""
    assert result.failures() == []
    return result.changed == 0


@pytest.mark.parametrize("version", ["570.195.03", "590.48.01"])
def test_every_part_has_one_version(fleet: Fleet, version: str) -> None:
    declare(fleet, version)
    assert fleet.deploy(*DEPLOYS).failures() == []
    assert unchanged(fleet.deploy(*DEPLOYS))
    same = {"module": version, "userspace": version, "daemon": version, "state": "active"}
    assert {host: versions(fleet, host) for host in HOSTS} == dict.fromkeys(HOSTS, same)
    assert failed(fleet) == {}


def test_a_driver_that_waits_for_a_reboot_keeps_daemons_waiting(fleet: Fleet) -> None:
    """Enabled but not started, as it would refuse the module; the check says what it waits for."""
    host = fleet.host("u24")
    host.execute("systemctl disable --now nvidia-fabricmanager")
    host.fault("module-in-use")
    declare(fleet, "580.105.08")
    assert fleet.deploy(*DEPLOYS).failures() == []
    assert unchanged(fleet.deploy(*DEPLOYS))
    found = failed(fleet)
    assert {check.partition(" ")[0] for check in found} == {"u24"}
    assert found["u24 fabric_manager daemon_runs"].startswith(
        "nvidia-fabricmanager.service: expected active and enabled, found inactive and enabled; it waits for a reboot: "
        "module nvidia 590.48.01 is loaded, 580.105.08 is wanted"
    )
    assert found["u24 fabric_manager daemon_is_of_the_loaded_module"] == (
        "/usr/bin/nv-fabricmanager: expected version 590.48.01 as the loaded module, which it would refuse otherwise, "
        "found 580.105.08"
    )


def test_units_start_in_order_at_boot(fleet: Fleet) -> None:
    for name in HOSTS:
        host = fleet.host(name)
        host.reboot()
        units = [f"{unit}.service" for unit in ORDER[name]]
        times = [
            int(host.execute(f"systemctl show --value --property={moment}TimestampMonotonic {unit}").stdout)
            for unit in units
            for moment in ("InactiveExit", "ActiveEnter")
        ]
        assert times == sorted(times), dict(zip(units, times[1::2], strict=True))
        assert 0 not in times
    same = {"module": "580.105.08", "userspace": "580.105.08", "daemon": "580.105.08", "state": "active"}
    assert {host: versions(fleet, host) for host in HOSTS} == dict.fromkeys(HOSTS, same)
    assert unchanged(fleet.deploy(*DEPLOYS))
    assert failed(fleet) == {}


def test_systemd_finds_nothing_wrong_with_the_units(fleet: Fleet) -> None:
    for name in HOSTS:
        units = " ".join(f"{unit}.service" for unit in (DAEMONS[name], "nvidia-dcgm", "gpufleet-gpudirect"))
        assert fleet.host(name).execute(f"systemd-analyze verify --man=no {units} 2>&1").stdout == ""


@pytest.mark.parametrize("batch", [FIRST, SECOND], ids=["first", "second"])
def test_deviations_are_seen(fleet: Fleet, batch: list[Deviation]) -> None:
    words = {"nodes": nodes(fleet), "kernel": fleet.host("u24").execute("uname -r").stdout.strip()}
    try:
        for deviation in batch:
            fleet.host(deviation.host).execute(deviation.command)
        found = failed(fleet)
        refused = fleet.deploy("fabric_manager.py", "imex.py").failures()
    finally:
        for deviation in reversed(batch):
            fleet.host(deviation.host).execute(deviation.back, check=False)
    assert found == {
        f"{deviation.host} {check}": text.format(**words)
        for deviation in batch
        for check, text in deviation.messages.items()
    }
    assert fleet.deploy(*COMPANIONS).failures() == []
    assert failed(fleet) == {}
    # The daemon's own last words are in the report; IMEX is well, as a package of a wrong version is installed again.
    said = ["u24" in error and "580.999.99 don't match with driver version 580.105.08" in error for error in refused]
    assert said == [True] * (batch is FIRST)


def test_contradiction_is_seen_by_every_role(fleet: Fleet) -> None:
    fleet.declare(d12={"fabric_manager": {"run": "on"}})
    found = failed(fleet)
    fleet.declare(d12={"fabric_manager": {}})
    why = (
        "expected a stack that fits, found error: fabric_manager: expected none on a compute tray of GB200 or GB300, "
        "whose switch trays run it, found on; set fabric_manager to auto or off (row rule compute trays; "
    )
    names = {"fabric_manager": "fabric manager", "imex": "IMEX", "gpudirect": "GPUDirect", "dcgm": "DCGM"}
    starts = {f"d12 {role} stack_fits": f"{names[role]}: {why}" for role in ROLES}
    assert {check: text[: len(starts.get(check, ""))] for check, text in found.items()} == starts


@pytest.mark.parametrize(
    ("options", "expected"),
    [({"run": "dra"}, ("masked", "inactive")), ({"run": "on"}, ("enabled", "active"))],
    ids=["to dra", "and back"],
)
def test_imex_is_left_to_the_dra_driver(fleet: Fleet, options: Mapping[str, Any], expected: tuple[str, str]) -> None:
    given = {**options, **({"nodes": nodes(fleet)} if options["run"] == "on" else {})}
    fleet.declare(d12={"imex": given})
    assert fleet.deploy("imex.py", limit=("d12",)).failures() == []
    assert unchanged(fleet.deploy("imex.py", limit=("d12",)))
    script = "systemctl is-enabled nvidia-imex; systemctl is-active nvidia-imex; true"
    assert tuple(fleet.host("d12").execute(script).stdout.split()) == expected
    assert [check for check in failed(fleet) if not check.endswith("channel_is_there")] == []


def test_off_leaves_nothing(fleet: Fleet) -> None:
    fleet.declare(**OFF)
    found = failed(fleet)
    assert {check.removesuffix(" nothing_where_none_belongs"): found[check] for check in found}.items() >= LEFT.items()
    assert fleet.deploy(*COMPANIONS).failures() == []
    assert unchanged(fleet.deploy(*COMPANIONS))
    assert failed(fleet) == {}
    rest = "find /etc/systemd /etc/modules-load.d /etc/nvidia-imex -name '*nvidia-[fid]*' -o -name '*gpudirect*'"
    kept = "grep -lE 'fabric|imex|datacenter|gdr' /etc/apt/preferences.d/* /etc/dnf/plugins/versionlock.list"
    for host in HOSTS:
        assert fleet.host(host).execute(f"{rest} 2>/dev/null; {kept} 2>/dev/null; true").stdout == ""


def test_every_check_is_seen_failing() -> None:
    seen = {check for row in [*FIRST, *SECOND] for check in row.messages}
    seen |= {f"{role} stack_fits" for role in ROLES}
    seen |= {f"{place.split()[1]} nothing_where_none_belongs" for place in LEFT}
    # Wants an RDMA device, which no container host has: tests/unit/roles/test_gpudirect_checks.py sees it fail.
    seen |= {"gpudirect path_is_registered"}
    assert seen == {f"{role} {check}" for role in ROLES for check in checks_of(role)}


def checks_of(role: str) -> set[str]:
    """Names of the checks in a role's module."""
    tree = ast.parse((ROOT / "tests" / "verify" / f"test_{role}.py").read_text(encoding="utf-8"))
    functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    return {name.removeprefix("test_") for name in functions if name.startswith("test_")}
