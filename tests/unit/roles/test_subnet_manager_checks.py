"""Every check of the role subnet_manager, seen passing and failing."""

from __future__ import annotations

from typing import Any

import pytest

from gpufleet.facts.opensm import CONFIGURATION, LOGS, PARTITIONS
from gpufleet.operations.files import render
from roles.subnet_manager.options import SubnetManager
from roles.subnet_manager.steps import ROTATION, SHIPPED, instance_context
from tests.support.check_runs import Answer, outcomes
from tests.verify import test_subnet_manager as module

NAME, GUID, PEER = "mlx5_0-1", "0xa088c2030012ab34", "0xa088c2030099cd78"
GIVEN: dict[str, Any] = {"ports": [{"device": "mlx5_0"}], "priority": 12, "partitions": [{"name": "a", "key": 18}]}
DATA, GONE = {"subnet_manager": GIVEN}, {"subnet_manager": {"state": "absent"}}
OPTIONS = SubnetManager.model_validate(GIVEN)
TEXT = render(
    "etc/gpufleet/opensm/instance.opts",
    instance=NAME,
    guid=GUID,
    roots=[],
    **instance_context(OPTIONS, OPTIONS.ports[0]),
)
LINES = render("etc/gpufleet/opensm/partitions.conf", partitions=OPTIONS.all_partitions)
ROTATES = render(ROTATION, log=OPTIONS.log, logs=LOGS)
LOG = f"{LOGS}/{NAME}/opensm.log"
#: As sminfo, smpquery and saquery of infiniband-diags 44 answered in a fabric of ibsim, GUIDs aside.
MANAGERS = f"""\
instance {NAME}
ActiveState=active
UnitFileState=enabled
MainPID=812
InvocationID=0f3a
Own=sminfo: sm lid 0 sm guid {GUID}, activity count 127 priority 12 state 2 SMINFO_STANDBY
Keys=0xffff 0x8012 0x0000
Manager={PEER} 14 3
Manager={GUID} 12 1
Log={LOG}"""
MASKED = "\n\n".join(f"Id={unit}\nLoadState=masked\nActiveState=inactive\nUnitFileState=masked" for unit in SHIPPED)
GOOD = {
    "managers": MANAGERS,
    "guids": "/sys/class/infiniband/mlx5_0/ports/1/gids/0:fe80:0000:0000:0000:a088:c203:0012:ab34",
    "options": f"== {CONFIGURATION}/{NAME}.opts\n{TEXT}".strip(),
    "partitions": LINES.strip(),
    "rotation": ROTATES.strip(),
    "rotation's faults": "",
    "rotation's time": "active",
    "shipped": MASKED,
    "packages": "installed opensm 3.3.23-2+b1",
    "instances": f"{CONFIGURATION}/{NAME}.opts",
    "traces": CONFIGURATION,
    "unit": "/etc/systemd/system/gpufleet-opensm@.service",
}
NONE = {**dict.fromkeys(GOOD, ""), "shipped": MASKED.replace("masked", "not-found")}


def changed(section: str, old: str, new: str) -> dict[str, str]:
    assert old in GOOD[section]
    return {section: GOOD[section].replace(old, new)}


@pytest.mark.parametrize(("answers", "data"), [(GOOD, DATA), (NONE, {}), (GOOD, {}), (NONE, GONE)])
def test_as_declared(answers: dict[str, str], data: dict[str, Any]) -> None:
    assert outcomes(module, answers, data, Answer()) == {}


SILENT = {
    "every_instance_runs": f"subnet manager: expected active and enabled, found {{'{NAME}': 'inactive and disabled'}}",
    "priority_is_in_force": f"{NAME}: expected priority 12, found none (no answer)",
    "its_own_manager_is_master_or_standby": "subnet manager: expected MASTER or STANDBY, "
    f"found {{'{NAME}': 'no answer'}}",
    "exactly_one_master": f"subnet manager: expected one master in each subnet, found {{'{NAME}': []}}",
    "partitions_are_on_its_ports": f"{NAME}: expected the declared partitions on its port, found no 0x7fff, 0x0012",
    "log_rotates": f"{NAME}: expected its log open at ['{LOG}'], found []",
}


@pytest.mark.parametrize(
    ("changes", "failing"),
    [
        ({"managers": ""}, SILENT),
        (
            changed("managers", "UnitFileState=enabled", "UnitFileState=disabled"),
            {
                "every_instance_runs": "subnet manager: expected active and enabled, "
                f"found {{'{NAME}': 'active and disabled'}}"
            },
        ),
        (
            {"instances": f"{CONFIGURATION}/{NAME}.opts\n{CONFIGURATION}/mlx5_1-1.opts"},
            {"no_other_instance_is_set_up": f"subnet manager: expected ['{NAME}'], found ['mlx5_1-1'] too"},
        ),
        (
            {"shipped": MASKED.replace("masked", "loaded", 1)},
            {
                "shipped_units_are_masked": "subnet manager: expected the package's units masked, "
                "found ['opensm.service'] not"
            },
        ),
        (
            changed("options", "sm_priority 12", "sm_priority 0"),
            {
                "options_are_as_declared": f"{CONFIGURATION}/{NAME}.opts: expected the declared options, "
                "found no 'sm_priority 12', 'sm_priority 0'"
            },
        ),
        (
            {"managers": f'{MANAGERS}\nComplaint=Unrecognized token: "bogus_option"'},
            {
                "options_and_partitions_are_in_force": "subnet manager: expected options that OpenSM reads, "
                f"found {{'{NAME}': ['Unrecognized token: \"bogus_option\"']}}"
            },
        ),
        (
            {"managers": f"{MANAGERS}\nUnread=yes"},
            {
                "options_and_partitions_are_in_force": f"{PARTITIONS}: expected it read since its last change, "
                f"found it not by ['{NAME}']"
            },
        ),
        (
            changed("managers", "priority 12 state", "priority 0 state"),
            {"priority_is_in_force": f"{NAME}: expected priority 12, found 0 (STANDBY)"},
        ),
        (
            changed("managers", "SMINFO_STANDBY", "SMINFO_NOTACT"),
            {
                "its_own_manager_is_master_or_standby": "subnet manager: expected MASTER or STANDBY, "
                f"found {{'{NAME}': 'NOTACT'}}"
            },
        ),
        (
            changed("managers", f"Manager={GUID} 12 1", f"Manager={GUID} 12 3"),
            {
                "exactly_one_master": "subnet manager: expected one master in each subnet, "
                f"found {{'{NAME}': ['{GUID}', '{PEER}']}}"
            },
        ),
        (
            changed("partitions", "a=0x0012", "a=0x0013"),
            {
                "partitions_are_as_declared": f"{PARTITIONS}: expected the declared partitions, "
                "found no 'a=0x0012 : ALL=full ;', 'a=0x0013 : ALL=full ;'"
            },
        ),
        (
            changed("managers", "0x8012", "0x8013"),
            {"partitions_are_on_its_ports": f"{NAME}: expected the declared partitions on its port, found no 0x0012"},
        ),
        (
            changed("rotation", "rotate 4", "rotate 5"),
            {"log_rotates": f"/{ROTATION}: expected the declared rotation, found no 'rotate 4', 'rotate 5'"},
        ),
        (
            {"rotation's faults": "error: /etc/logrotate.d/gpufleet-opensm:3 unknown option"},
            {
                "log_rotates": f"/{ROTATION}: expected a file that logrotate reads, "
                "found ['error: /etc/logrotate.d/gpufleet-opensm:3 unknown option']"
            },
        ),
        ({"rotation's time": "inactive"}, {"log_rotates": "logrotate: expected a timer that runs, found inactive"}),
        (
            changed("managers", f"Log={LOG}", f"Log={LOG}.1"),
            {"log_rotates": f"{NAME}: expected its log open at ['{LOG}'], found ['{LOG}.1']"},
        ),
    ],
)
def test_deviations(changes: dict[str, str], failing: dict[str, str]) -> None:
    assert outcomes(module, {**GOOD, **changes}, DATA, Answer()) == failing


def test_leftovers() -> None:
    assert outcomes(module, GOOD, GONE, Answer()) == {
        "nothing_where_none_belongs": "subnet manager: expected nothing of it, found ['opensm', "
        f"'instance {NAME}', '{CONFIGURATION}', '/etc/systemd/system/gpufleet-opensm@.service', "
        "'opensm.service masked', 'opensmd.service masked']"
    }


def test_every_check_was_seen_failing() -> None:
    marks = test_deviations.pytestmark  # type: ignore[attr-defined]  # pytest put it there
    failing = {name for _, messages in marks[0].args[1] for name in messages} | {"nothing_where_none_belongs"}
    assert failing == {name.removeprefix("test_") for name in vars(module) if name.startswith("test_")}
