"""Plans of the role subnet_manager: from nothing, second run, changed partitions and options, another port, removal."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import pytest
from pyinfra.facts.files import Directory, File, Sha1File

from gpufleet.facts.apt import InstalledVersions, PackageStates
from gpufleet.facts.family import OsFamily
from gpufleet.facts.gpu_daemons import GpuDaemon, GpuDaemonState
from gpufleet.facts.opensm import Instance, InstanceState, OwnInstances, OwnTraces, PortGuids
from gpufleet.facts.packages import InstalledVersions as AnyInstalled
from gpufleet.facts.unit_files import OwnUnitFiles
from gpufleet.facts.units import UnitState, UnitStates
from roles.subnet_manager.deploy import subnet_manager
from roles.subnet_manager.steps import PACKAGES, SHIPPED, UNIT
from tests.support.driver_facts import without_noops
from tests.support.plans import assert_plan, plan

ROLE = "subnet_manager"
GUIDS = {"mlx5_0/1": "0xa088c2030012ab34", "mlx5_1/1": "0xa088c2030012ab38"}
TENANT = {
    "name": "tenant",
    "key": 0x12,
    "ipoib": True,
    "mtu": 4096,
    "rate": 400,
    "members": {"SELF": "full", "0xa088c2030012ab34": "limited"},
}
PORTS = [{"device": "mlx5_0", "root_guids": ["0x900a84030040c180"]}, {"device": "mlx5_1", "priority": 3}]
DATA = {"ports": PORTS, "priority": 12, "partitions": [TENANT], "routing": ["updn", "minhop"], "qos": {"max_vls": 4}}
ON, MASKED = UnitState("loaded", "active", "enabled"), UnitState("masked", "inactive", "masked")
_UPLOAD = re.compile(r"^     upload (?P<path>\S+)\n(?P<text>(?:     \|.*\n)*)", re.MULTILINE)


def planned(facts: dict[Any, Any], **changes: Any) -> str:
    base: dict[Any, Any] = {OsFamily: "debian", PortGuids: GUIDS}
    return plan(subnet_manager, {**base, **facts}, {ROLE: {**DATA, **changes}})


def settled(instance: Instance | None = None) -> dict[Any, Any]:
    """A host after a first run."""
    first = _UPLOAD.findall(planned({}))
    files = {path: "".join(f"{line[7:]}\n" for line in text.splitlines()) for path, text in first}
    present = {"mode": 644, "user": "root", "group": "root"}
    return {
        Directory: {"mode": 755, "user": "root", "group": "root"},
        File: lambda path: present if path in files else None,
        Sha1File: lambda path: hashlib.sha1(files[path].encode(), usedforsecurity=False).hexdigest(),
        InstalledVersions: dict.fromkeys(PACKAGES, "1"),
        UnitStates: dict.fromkeys(SHIPPED, MASKED),
        OwnInstances: ["mlx5_0-1", "mlx5_1-1"],
        InstanceState: instance or Instance(GpuDaemon(ON, started=8, changed=7)),
    }


def test_first_run() -> None:
    assert_plan(ROLE, "first", planned({}))


def test_first_run_of_el() -> None:
    text = planned({OsFamily: "el"})
    assert_plan(ROLE, "first_el", "".join(re.findall(r"^Install.*\n(?:     .*\n)*", text, re.MULTILINE)))


def test_second_run_changes_nothing() -> None:
    assert without_noops(planned(settled())) == ""


def test_changed_partitions_are_read_without_a_restart() -> None:
    facts = settled(Instance(GpuDaemon(ON, started=8, changed=7), has_unread_partitions=True))
    changed = [{**TENANT, "members": {"ALL": "limited"}}]
    assert_plan(ROLE, "changed_partitions", without_noops(planned(facts, partitions=changed)))


def test_changed_options_restart_it() -> None:
    facts = settled(Instance(GpuDaemon(ON, started=8, changed=9)))
    assert_plan(ROLE, "changed_options", without_noops(planned(facts, sweep_interval=30)))


def test_a_port_that_is_no_longer_declared() -> None:
    assert_plan(ROLE, "fewer_ports", without_noops(planned(settled(), ports=PORTS[:1])))


@pytest.mark.parametrize(("case", "guids"), [("no_such_port", {"mlx5_0/1": GUIDS["mlx5_0/1"]}), ("no_port", {})])
def test_a_port_that_is_not_there(case: str, guids: dict[str, str]) -> None:
    text = without_noops(planned({**settled(), PortGuids: guids}))
    assert_plan(ROLE, case, text)


def test_absent() -> None:
    facts = {
        **settled(),
        OwnTraces: ["/etc/gpufleet/opensm", "/var/log/gpufleet-opensm"],
        AnyInstalled: dict.fromkeys(PACKAGES, "1"),
        PackageStates: {"opensm": "installed"},
        OwnUnitFiles: [f"/{UNIT}"],
        GpuDaemonState: GpuDaemon(MASKED),
    }
    assert_plan(ROLE, "absent", without_noops(planned(facts, state="absent")))


def test_absent_where_it_never_was() -> None:
    assert without_noops(planned({}, state="absent")) == ""


def test_host_without_the_key() -> None:
    assert_plan(ROLE, "no_key", plan(subnet_manager, {OsFamily: "debian"}, {}))
