"""Who manages a subnet: what the managers say themselves counts, not what one of them remembers.

The texts in cases/managers*.txt are of OpenSM 3.3.23 and infiniband-diags 44.0 on ibsim: a master with its standby, the
same just after the standby was killed, and two masters that ignore each other, as their sm_key differs.
"""

from __future__ import annotations

from pathlib import Path

from gpufleet.fabric import asking, compare
from gpufleet.fabric.findings import Report
from gpufleet.fabric.managers import Manager, parse
from tests.unit.fabric.small import case, planned
from tests.unit.fabric.test_asking import heard

STANDBY = "sminfo: sm lid 6 sm guid 0x100005, activity count 131 priority 5 state 2 SMINFO_STANDBY"
MASTER = "sminfo: sm lid 1 sm guid 0x100001, activity count 131 priority 14 state 3 SMINFO_MASTER"


def report(folder: Path, managers: str) -> Report:
    said = heard(managers=managers)
    return compare.check(planned(folder), said.found, said.answers)


def findings(folder: Path, managers: str) -> list[str]:
    return [str(finding) for finding in report(folder, managers).findings]


def test_a_master_and_its_standby() -> None:
    assert parse(case("managers").splitlines()) == [Manager(0x100001, 14, 3), Manager(0x100005, 5, 2)]


def test_a_killed_standby_is_still_listed_and_not_counted(tmp_path: Path) -> None:
    assert parse(case("managers-stale").splitlines()) == [Manager(0x100001, 14, 3), Manager(0x100005, 5, None)]
    result = report(tmp_path, case("managers-stale"))
    assert result.findings == ()
    assert result.notes == (
        "gpu-01 mlx5_0: the master lists a subnet manager that does not answer: gpu-02 mlx5_0 (priority 5)",
    )


def test_a_master_that_is_only_remembered_is_none(tmp_path: Path) -> None:
    """The standby has not noticed yet that the master, which its list still has, is gone."""
    dead = "\n".join(line for line in case("managers").splitlines() if "SMINFO_MASTER" not in line)
    assert findings(tmp_path, dead) == [
        "subnet manager: gpu-01 mlx5_0: expected one master, found none among gpu-02 mlx5_0 (priority 5); "
        "start opensm, and read its log"
    ]


def test_two_masters_of_which_each_lists_itself_alone(tmp_path: Path) -> None:
    assert findings(tmp_path, case("managers-two-masters")) == [
        "subnet manager: gpu-01 mlx5_0: expected one master, found 2: gpu-01 mlx5_0 (priority 14), "
        "gpu-02 mlx5_0 (priority 5); stop all but one, and give them the same sm_key and partitions"
    ]


def test_no_master(tmp_path: Path) -> None:
    assert findings(tmp_path, "") == [
        "subnet manager: gpu-01 mlx5_0: expected one master, found none; start opensm, and read its log"
    ]
    assert findings(tmp_path, STANDBY) == [
        "subnet manager: gpu-01 mlx5_0: expected one master, found none among gpu-02 mlx5_0 (priority 5); "
        "start opensm, and read its log"
    ]


def test_a_master_of_a_port_that_the_discovery_has_not(tmp_path: Path) -> None:
    stranger = STANDBY.replace("0x100005", "0xabc").replace("state 2", "state 3")
    assert findings(tmp_path, f"{case('managers')}{stranger}") == [
        "subnet manager: gpu-01 mlx5_0: expected one master, found 2: 0x0000000000000abc (priority 5), "
        "gpu-01 mlx5_0 (priority 14); stop all but one, and give them the same sm_key and partitions"
    ]


def test_a_master_without_a_list_is_said(tmp_path: Path) -> None:
    result = report(tmp_path, MASTER)
    assert result.findings == ()
    assert result.notes == (
        f"gpu-01 mlx5_0: other subnet managers not checked: saquery did not come to its end ({MASTER})",
    )


def test_the_ports_that_are_managers_by_their_capabilities_are_asked_too() -> None:
    command = asking.requests(["mlx5_0"])["managers mlx5_0"].command
    assert command == (
        'sminfo -C mlx5_0; records=$(saquery -C mlx5_0 SMIR); echo "$records"; '
        'for lid in $({ echo "$records"; saquery -C mlx5_0 -s; } '
        r"| sed -n 's/^[[:space:]]*\(LID\|base_lid\)\.\.*//p' | sort -un); do sminfo -C mlx5_0 $lid; done"
    )
