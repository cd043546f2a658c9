"""Checks of the role `subnet_manager`: it runs, by the declared options, as one of managers that agree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from gpufleet.facts.opensm import CONFIGURATION, LOGS, PARTITIONS, OwnInstances, OwnTraces, PortGuids
from gpufleet.facts.packages import InstalledVersions
from gpufleet.facts.unit_files import OwnUnitFiles
from gpufleet.facts.units import UnitStates
from gpufleet.health import Probe
from gpufleet.operations.files import render
from roles.subnet_manager.options import Port, SubnetManager
from roles.subnet_manager.steps import PACKAGE, ROTATION, SHIPPED, instance_context
from tests.verify import opensm_readings
from tests.verify.companion_readings import Declared
from tests.verify.opensm_readings import Manager, differing

PROBE = opensm_readings.PROBE
#: Members of a partition that every manager's own port is one of, whoever is master.
EVERY_PORT = ("ALL", "ALL_CAS")


@pytest.fixture
def options(declared: Declared, data: Mapping[str, Any]) -> SubnetManager | None:
    """Options of a host that is to manage a subnet, none of any other."""
    found: SubnetManager | None = declared(SubnetManager) if data.get(SubnetManager.key) is not None else None
    return found if found and found.state == "present" else None


@pytest.fixture
def ports(options: SubnetManager | None) -> dict[str, Port]:
    """Declared ports by the names of their instances."""
    return {port.name: port for port in options.ports} if options else {}


@pytest.fixture
def found(probe: Probe, ports: dict[str, Port]) -> dict[str, Manager]:
    """What the declared instances said."""
    answers = opensm_readings.managers(probe["managers"].lines)
    return {name: answers.get(name, Manager()) for name in ports}


def test_every_instance_runs(found: dict[str, Manager]) -> None:
    wrong = {name: manager.state for name, manager in found.items() if manager.state != "active and enabled"}
    assert not wrong, f"subnet manager: expected active and enabled, found {wrong}"


def test_no_other_instance_is_set_up(probe: Probe, options: SubnetManager | None, ports: dict[str, Port]) -> None:
    others = [name for name in OwnInstances().process(probe["instances"].lines) if name not in ports]
    assert options is None or not others, f"subnet manager: expected {sorted(ports)}, found {others} too"


def test_shipped_units_are_masked(probe: Probe, options: SubnetManager | None) -> None:
    states = UnitStates().process(probe["shipped"].lines)
    loose = [unit for unit in SHIPPED if unit in states and not states[unit].is_masked]
    assert options is None or not loose, f"subnet manager: expected the package's units masked, found {loose} not"


def test_options_are_as_declared(probe: Probe, options: SubnetManager | None, ports: dict[str, Port]) -> None:
    guids, texts = PortGuids().process(probe["guids"].lines), opensm_readings.files(probe["options"].lines)
    for name, port in ports.items():
        assert options is not None
        path, guid = (
            f"{CONFIGURATION}/{name}.opts",
            port.guid or guids.get(f"{port.device}/{port.port}", "no such port"),
        )
        names = {"instance": name, "guid": guid, "roots": port.root_guids, **instance_context(options, port)}
        said = differing(render("etc/gpufleet/opensm/instance.opts", **names), texts.get(path, "").splitlines())
        assert not said, f"{path}: expected the declared options, found {said}"


def test_options_and_partitions_are_in_force(found: dict[str, Manager]) -> None:
    """OpenSM takes what it cannot read for its default, and says so in passing."""
    wrong = {name: list(manager.complaints) for name, manager in found.items() if manager.complaints}
    assert not wrong, f"subnet manager: expected options that OpenSM reads, found {wrong}"
    unread = [name for name, manager in found.items() if manager.unit.get("Unread")]
    assert not unread, f"{PARTITIONS}: expected it read since its last change, found it not by {unread}"


def test_priority_is_in_force(found: dict[str, Manager], options: SubnetManager | None, ports: dict[str, Port]) -> None:
    for name, manager in found.items():
        assert options is not None
        own = ports[name].priority
        expected, (priority, said) = str(options.priority if own is None else own), manager.own
        assert priority == expected, f"{name}: expected priority {expected}, found {priority} ({said})"


def test_its_own_manager_is_master_or_standby(found: dict[str, Manager]) -> None:
    wrong = {name: manager.own[1] for name, manager in found.items() if manager.own[1] not in ("MASTER", "STANDBY")}
    assert not wrong, f"subnet manager: expected MASTER or STANDBY, found {wrong}"


def test_exactly_one_master(found: dict[str, Manager]) -> None:
    wrong = {name: manager.masters for name, manager in found.items() if len(manager.masters) != 1}
    assert not wrong, f"subnet manager: expected one master in each subnet, found {wrong}"


def test_partitions_are_as_declared(probe: Probe, options: SubnetManager | None) -> None:
    if options:
        names = {"partitions": options.all_partitions}
        said = differing(render("etc/gpufleet/opensm/partitions.conf", **names), probe["partitions"].lines)
        assert not said, f"{PARTITIONS}: expected the declared partitions, found {said}"


def test_partitions_are_on_its_ports(found: dict[str, Manager], options: SubnetManager | None) -> None:
    """The master, here or elsewhere, writes them: where it has others, managers do not agree."""
    expected = [row.key for row in options.all_partitions if set(row.members) & set(EVERY_PORT)] if options else []
    for name, manager in found.items():
        missing = [f"{key:#06x}" for key in expected if key not in manager.keys]
        assert not missing, f"{name}: expected the declared partitions on its port, found no {', '.join(missing)}"


def test_log_rotates(probe: Probe, found: dict[str, Manager], options: SubnetManager | None) -> None:
    if options:
        said = differing(render(ROTATION, log=options.log, logs=LOGS), probe["rotation"].lines)
        assert not said, f"/{ROTATION}: expected the declared rotation, found {said}"
        faults = probe["rotation's faults"].lines
        assert not faults, f"/{ROTATION}: expected a file that logrotate reads, found {faults}"
        when = probe["rotation's time"].text
        assert when.startswith(("active", "/")), f"logrotate: expected a timer that runs, found {when or 'none'}"
    for name, manager in found.items():
        opened = [f"{LOGS}/{name}/opensm.log"]
        logs = [log for log in manager.logs if "/opensm.log" in log]
        assert logs == opened, f"{name}: expected its log open at {opened}, found {logs}"


def test_nothing_where_none_belongs(probe: Probe, data: Mapping[str, Any], options: SubnetManager | None) -> None:
    if options is None and data.get(SubnetManager.key) is not None:
        left = sorted(InstalledVersions().process(probe["packages"].lines))
        left = [name for name in left if name == PACKAGE]
        left += [f"instance {name}" for name in OwnInstances().process(probe["instances"].lines)]
        left += OwnTraces().process(probe["traces"].lines) + OwnUnitFiles().process(probe["unit"].lines)
        states = UnitStates().process(probe["shipped"].lines)
        left += [f"{unit} masked" for unit, state in states.items() if state.is_masked]
        assert not left, f"subnet manager: expected nothing of it, found {left}"
