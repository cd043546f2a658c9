"""Plans of the role roce: set up, as declared already, taken out, and refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gpufleet.facts.machine import HostMachine, Machine
from gpufleet.facts.network import NeededInterfaces
from gpufleet.facts.rdma_ethernet import PortsQos, RocePorts, UnitInstances
from gpufleet.network.roce import PortQos, RocePort
from gpufleet.stack.machine import Hardware, System
from roles.roce.deploy import roce
from tests.support.plans import Facts, assert_plan, plan

ROLE = "roce"
ONE, TWO = RocePort("mlx5_0", 1, "ens1f0np0", (3,)), RocePort("mlx5_1", 1, "roce-1", (3,))
GOOD = PortQos((3,), ((26, 3), (48, 6)), {"np": (3,), "rp": (3,)}, 48, 6, 106, 106, 9000)
UNITS = ["gpufleet-roce@ens1f0np0.service", "gpufleet-roce@roce\\x2d1.service"]


def facts(*ports: RocePort, adapters: int = 2, **more: Any) -> Facts:
    machine = HostMachine(System("debian", "13"), Hardware(rdma_adapters=adapters))
    qos = {"ens1f0np0": GOOD, "roce-1": GOOD, **more.get("qos", {})}
    return {
        Machine: machine,
        RocePorts: list(ports),
        NeededInterfaces: more.get("needed", {"eth0": "the default route"}),
        UnitInstances: lambda template: more.get("units", UNITS),
        PortsQos: lambda ports: {interface: qos[interface] for interface, *_ in ports},
    }


@pytest.mark.parametrize(
    ("case", "found", "options"),
    [
        ("new", facts(ONE, TWO, units=[], qos={"ens1f0np0": PortQos(), "roce-1": PortQos()}), {}),
        ("by_tag", facts(ONE, TWO), {"trust": "pcp", "ecn": False, "mtu": None}),
        ("as_declared", facts(ONE, TWO), {}),
        ("driver_of_the_kernel", facts(ONE, TWO, qos={"roce-1": PortQos((3,), ((26, 3), (48, 6)), mtu=9000)}), {}),
        ("flow_control_lost", facts(ONE, TWO, qos={"roce-1": replace(GOOD, pfc=())}), {}),
        ("one_named", facts(ONE, TWO), {"interfaces": ["mlx5_0"]}),
        ("unknown_name", facts(ONE, TWO), {"interfaces": ["mlx5_7"]}),
        ("no_port", facts(units=[]), {}),
        ("default_route_among_all", facts(ONE, TWO, units=[UNITS[0]], needed={"roce-1": "the default route"}), {}),
        ("default_route_named", facts(ONE, TWO, needed={"roce-1": "the default route"}), {"interfaces": ["roce-1"]}),
        ("no_adapter", facts(adapters=0), {}),
    ],
)
def test_plan(case: str, found: Facts, options: dict[str, Any]) -> None:
    assert_plan(ROLE, case, plan(roce, found, {ROLE: options}))


def test_no_key() -> None:
    assert_plan(ROLE, "no_key", plan(roce, facts(ONE), {}))
