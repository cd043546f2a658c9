"""Every check of the role roce, seen passing and failing."""

from __future__ import annotations

from typing import Any

import pytest

from gpufleet.operations.files import render
from roles.roce.options import Roce
from roles.roce.steps import PROGRAM, UNIT
from tests.support.check_runs import Answer, outcomes
from tests.verify import test_roce as module

DATA: dict[str, Any] = {"roce": {}}
V4 = "0000:0000:0000:0000:0000:ffff:0a1e:000{}"
NET = "/sys/class/net/{}"


def port(number: int, interface: str, index: int = 3) -> list[str]:
    """A port with its one IPv4 GID of RoCE v2 at an index."""
    place = f"/sys/class/infiniband/mlx5_{number}/ports/1"
    return [
        f"{place}/link_layer:Ethernet",
        f"{place}/gid_attrs/ndevs/0:{interface}",
        f"{place}/gid_attrs/ndevs/{index}:{interface}",
        f"{place}/gid_attrs/types/{index}:RoCE v2",
        f"{place}/gids/{index}:{V4.format(number)}",
    ]


def qos(number: int, interface: str) -> list[str]:
    """Answers about a port as the vendor's driver gives them."""
    net, device = f"/sys/class/net/{interface}", f"mlx5_{number}"
    return [
        f"interface {interface}",
        "prio-pfc 0:off 1:off 2:off 3:on 4:off 5:off 6:off 7:off",
        "dscp-prio 26:3 48:6",
        f"{net}/mtu:9000",
        f"{net}/ecn/roce_np/cnp_dscp:48",
        f"{net}/ecn/roce_np/cnp_802p_prio:6",
        f"/sys/class/infiniband/{device}/tc/1/traffic_class:Global tclass=106",
        f"/sys/kernel/config/rdma_cm/{device}/ports/1/default_roce_tos:106",
        *(f"{net}/ecn/roce_{node}p/enable/{number}:{int(number == 3)}" for node in "nr" for number in range(8)),
    ]


UNITS = [f"/etc/systemd/system/x.device.wants/gpufleet-roce@{name}.service" for name in ("ens1", "ens2")]
GOOD: dict[str, Any] = {
    "machine": ["pci 0000:18:00.0 0x15b3 0x1021 0x020000"],
    "ports": [*port(0, "ens1"), *port(1, "ens2")],
    "needed": "route default via 10.0.0.1 dev eth0",
    "units": UNITS,
    "program": render(PROGRAM, qos=Roce.model_validate({}).qos()),
    "unit": render(UNIT),
    "qos": [*qos(0, "ens1"), *qos(1, "ens2")],
    "nccl": ["NCCL_IB_TC=106", "NCCL_IB_GID_INDEX=3"],
}


def without(words: str) -> list[str]:
    return [line for line in GOOD["qos"] if words not in line]


def test_as_declared() -> None:
    assert outcomes(module, GOOD, DATA, Answer()) == {}


def test_nccl_may_leave_both_to_others() -> None:
    assert outcomes(module, {**GOOD, "nccl": ""}, DATA, Answer()) == {}


@pytest.mark.parametrize(("machine", "data"), [("", DATA), (GOOD["machine"], {})])
def test_a_host_without_the_key_or_an_adapter(machine: str, data: dict[str, Any]) -> None:
    assert outcomes(module, {**dict.fromkeys(GOOD, ""), "machine": machine}, data, Answer()) == {}


def test_the_interface_of_the_default_route_is_left_out() -> None:
    changes = {"needed": "route default via 10.0.0.1 dev ens2", "units": UNITS[:1], "qos": qos(0, "ens1")}
    assert outcomes(module, {**GOOD, **changes}, DATA, Answer()) == {}


@pytest.mark.parametrize(
    ("changes", "failing"),
    [
        (
            {"program": ""},
            {"program_is_as_declared": "/usr/local/sbin/gpufleet-roce: expected it as declared, found none"},
        ),
        (
            {"program": "exit 0"},
            {"program_is_as_declared": "/usr/local/sbin/gpufleet-roce: expected it as declared, found another"},
        ),
        (
            {"unit": "[Unit]"},
            {"unit_is_as_declared": "/etc/systemd/system/gpufleet-roce@.service: expected ours, found another"},
        ),
        (
            {"units": UNITS[1:]},
            {
                "units_start_with_their_interfaces": "units of RoCE interfaces: expected "
                "['gpufleet-roce@ens1.service', 'gpufleet-roce@ens2.service'] enabled, "
                "found ['gpufleet-roce@ens2.service']"
            },
        ),
        (
            {"qos": [line.replace("3:on", "3:off").replace("mtu:9000", "mtu:1500") for line in GOOD["qos"]]},
            {"quality_of_service": "ens1: PFC: expected [3], found []; MTU: expected 9000, found 1500"},
        ),
        (
            {"qos": [line.replace("26:3", "26:0").replace("enable/3:1", "enable/3:0") for line in GOOD["qos"]]},
            {
                "quality_of_service": "ens1: DSCP: expected {26: 3, 48: 6}, found {26: 0, 48: 6}; "
                "ECN np: expected [3], found []; ECN rp: expected [3], found []"
            },
        ),
        (
            {"qos": [line.replace("cnp_dscp:48", "cnp_dscp:0").replace("prio:6", "prio:0") for line in GOOD["qos"]]},
            {"quality_of_service": "ens1: CNP DSCP: expected 48, found 0; CNP priority: expected 6, found 0"},
        ),
        (
            {"qos": [line.replace("tos:106", "tos:0") for line in GOOD["qos"]]},
            {"quality_of_service": "ens1: RDMA-CM type of service: expected 106, found 0"},
        ),
        (
            {"qos": ["interface ens1", "interface ens2"]},
            {
                "quality_of_service": "ens1: PFC: expected it to be readable, found no answer; "
                "DSCP: expected it to be readable, found no answer",
                "driver_shows_everything": "unproven: ens1: expected a driver that shows ECN np, ECN rp, CNP DSCP, "
                "CNP priority, traffic class, RDMA-CM type of service, MTU, found none of it; DOCA-OFED does",
            },
        ),
        (
            {"qos": without("/ecn/roce_")},
            {
                "driver_shows_everything": "unproven: ens1: expected a driver that shows ECN np, ECN rp, CNP DSCP, "
                "CNP priority, found none of it; DOCA-OFED does"
            },
        ),
        (
            {"ports": [*port(0, "ens1"), *port(1, "ens2")[:2]], "nccl": ["NCCL_IB_TC=106"]},
            {
                "ports_have_a_gid_of_roce_v2": "GIDs: expected one of RoCE v2 with an IPv4 address, "
                "found none on ['ens2']"
            },
        ),
        (
            {"ports": [*port(0, "ens1"), *port(1, "ens2", index=5)], "nccl": ["NCCL_IB_TC=106"]},
            {
                "gid_has_the_same_index_everywhere": "GIDs: expected one index for all ports, "
                "found {'ens1': [3], 'ens2': [5]}"
            },
        ),
        (
            {"nccl": ["NCCL_IB_TC=106", "NCCL_IB_GID_INDEX=1"]},
            {
                "nccl_sends_from_this_gid": "/etc/nccl.conf: expected NCCL_IB_GID_INDEX in ['3'] for mlx5_0, found 1",
            },
        ),
        (
            {"nccl": ["NCCL_IB_TC=0"]},
            {
                "nccl_sends_in_this_class": "/etc/nccl.conf: expected NCCL_IB_TC=106, found 0; "
                "NCCL's data would not be lossless"
            },
        ),
        (
            {"nccl": "", "qos": [line.replace("tclass=106", "tclass=0") for line in GOOD["qos"]]},
            {
                "quality_of_service": "ens1: traffic class: expected 106, found 0",
                "nccl_sends_in_this_class": "/etc/nccl.conf: expected NCCL_IB_TC=106, found none; "
                "NCCL's data would not be lossless",
            },
        ),
    ],
)
def test_otherwise(changes: dict[str, Any], failing: dict[str, str]) -> None:
    assert outcomes(module, {**GOOD, **changes}, DATA, Answer()) == failing


def test_a_name_without_a_port() -> None:
    data = {"roce": {"interfaces": ["ens1", "ens2", "ens9"]}}
    assert outcomes(module, GOOD, data, Answer()) == {
        "named_ports_are_there": "RoCE: expected ports with Ethernet below them for ['ens9'], found none"
    }
