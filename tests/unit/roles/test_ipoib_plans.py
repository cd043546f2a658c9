"""Plans of the role ipoib: every network manager, what changes, what stays, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from gpufleet.facts.ib_interfaces import IbInterfaces
from gpufleet.facts.machine import HostMachine, Machine
from gpufleet.facts.network import NeededInterfaces, NetworkManagerInUse, OwnNetworkFiles
from gpufleet.network.links import IbInterface
from gpufleet.stack.machine import Hardware, System
from roles.ipoib.deploy import ipoib
from tests.support.plans import Facts, assert_plan, plan

ROLE = "ipoib"
PART = {"key": 0x8001, "mtu": 2044, "addresses": ["10.31.0.7/16"]}
RAIL_1 = {"mode": "connected", "mtu": 65520, "addresses": ["10.30.0.7/16", "fd00:30::7/64"], "partitions": [PART]}
DATA: dict[str, Any] = {ROLE: {"interfaces": {"mlx5_0": RAIL_1, "ib1": {}}}}
IB0 = IbInterface("ib0", "mlx5_0", mode="datagram", mtu=2044)
IB1 = IbInterface("ib1", "mlx5_1", mode="datagram", mtu=2044)
UP = IbInterface("ib0", "mlx5_0", mode="connected", mtu=65520, addresses=("10.30.0.7/16", "fd00:30::7/64"))
CHILD = IbInterface("ib0.8001", "mlx5_0", 1, "ib0", 0x8001, "datagram", 2044, ("10.31.0.7/16",))
OTHER = IbInterface("ib0.8002", "mlx5_0", 1, "ib0", 0x8002, "datagram", 2044)


def facts(manager: str, *found: IbInterface, adapters: int = 2, **more: Any) -> Facts:
    machine = HostMachine(System("debian", "13"), Hardware(rdma_adapters=adapters))
    return {
        Machine: machine,
        NetworkManagerInUse: manager,
        IbInterfaces: {item.name: item for item in found},
        NeededInterfaces: more.get("needed", {"eth0": "the default route"}),
        OwnNetworkFiles: lambda places: more.get("files", []),
    }


@pytest.mark.parametrize("manager", ["networkd", "netplan", "ifupdown", "networkmanager"])
def test_new(manager: str) -> None:
    assert_plan(ROLE, f"new_{manager}", plan(ipoib, facts(manager, IB0, IB1), DATA))


def test_as_declared_runs_nothing_on_interfaces() -> None:
    text = plan(ipoib, facts("networkd", UP, CHILD, IB1), DATA)
    assert "networkctl" not in text


@pytest.mark.parametrize(
    ("case", "found", "data"),
    [
        ("no_key", facts("networkd", IB0, IB1), {}),
        ("no_adapter", facts("networkd", adapters=0), DATA),
        ("no_manager", facts("", IB0, IB1), DATA),
        ("manager_by_hand", facts("", IB0, IB1), {ROLE: {**DATA[ROLE], "manager": "netplan"}}),
        ("no_interface", facts("networkd"), DATA),
        ("other_interface", facts("networkd", IB0), DATA),
        ("default_route", facts("networkd", IB0, IB1, needed={"ib1": "the default route"}), DATA),
        ("ssh_session", facts("networkd", IB0, IB1, needed={"ib0.8001": "this SSH session"}), DATA),
        (
            "ssh_session_in_a_partition_that_would_go",
            facts("networkd", UP, CHILD, OTHER, IB1, needed={"ib0.8002": "this SSH session"}),
            DATA,
        ),
        ("named_twice", facts("networkd", IB0, IB1), {ROLE: {"interfaces": {"ib0": {}, "mlx5_0": {}}}}),
        ("partition_taken_out", facts("networkd", UP, CHILD, OTHER, IB1), DATA),
        (
            "other_manager",
            facts("netplan", UP, CHILD, IB1, files=["/etc/network/interfaces.d/gpufleet-ipoib"]),
            DATA,
        ),
        (
            "nothing_listed",
            facts("networkd", UP, files=["/etc/systemd/network/05-gpufleet-ib0.network"]),
            {ROLE: {}},
        ),
    ],
)
def test_otherwise(case: str, found: Facts, data: dict[str, Any]) -> None:
    assert_plan(ROLE, case, plan(ipoib, found, data))
