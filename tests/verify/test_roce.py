"""Checks of the role `roce`: the unit of each port, what is in force on it, its GID, and that NCCL agrees."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from gpufleet.facts.machine import Machine
from gpufleet.facts.network import NeededInterfaces
from gpufleet.facts.rdma_ethernet import PortsQos, RocePorts, UnitInstances
from gpufleet.health import Probe, unproven
from gpufleet.network.roce import PortQos, RocePort, choose, common_index, differences, hidden
from gpufleet.operations.files import render
from gpufleet.operations.rdma_ethernet import escaped
from gpufleet.stack.nccl_settings.configuration import HOST_FILE
from roles.roce.options import NCCL_CLASS, NCCL_GID, Roce
from roles.roce.steps import PROGRAM, TEMPLATE, UNIT

Declared = Callable[[Any], Any]

#: Every interface with its RDMA device and port, as the fact PortsQos takes them, found on the host itself.
_TRIPLES = (
    'for d in /sys/class/net/*/device/infiniband/*; do [ -e "$d" ] || continue; n=${d#/sys/class/net/}; n=${n%%/*}; '
    'echo "$n ${d##*/} $(($(cat "/sys/class/net/$n/dev_port" 2>/dev/null || echo 0) + 1))"; done'
)
PROBE = {
    "machine": Machine().command(),
    "ports": RocePorts().command(),
    "needed": NeededInterfaces().command(),
    "units": UnitInstances().command(template=TEMPLATE),
    "program": f"cat /{PROGRAM} 2>/dev/null; true",
    "unit": f"cat /{UNIT} 2>/dev/null; true",
    "qos": PortsQos().each(_TRIPLES),
    "nccl": f"grep '^NCCL_' {HOST_FILE} 2>/dev/null; true",
}


@pytest.fixture
def wanted(probe: Probe, declared: Declared, data: Mapping[str, Any]) -> Roce | None:
    """What is declared; nothing on a host without the key or without an adapter, as the role does nothing there."""
    adapters = Machine().process(probe["machine"].lines).hardware.rdma_adapters
    return declared(Roce) if adapters and data.get(Roce.key) is not None else None


@pytest.fixture
def ports(probe: Probe, wanted: Roce | None) -> list[RocePort]:
    """The ports that the role sets up."""
    needed = NeededInterfaces().process(probe["needed"].lines)
    found = choose(RocePorts().process(probe["ports"].lines), wanted.named)[0] if wanted else []
    return [port for port in found if port.interface not in needed]


@pytest.fixture
def found(probe: Probe) -> dict[str, PortQos]:
    """What is in force on each interface."""
    return PortsQos().process(probe["qos"].lines)


@pytest.fixture
def nccl(probe: Probe) -> dict[str, str]:
    """Settings that every NCCL on the host reads."""
    return dict(line.split("=", 1) for line in probe["nccl"].lines)


def test_named_ports_are_there(probe: Probe, wanted: Roce | None) -> None:
    unknown = choose(RocePorts().process(probe["ports"].lines), wanted.named)[1] if wanted else []
    assert not unknown, f"RoCE: expected ports with Ethernet below them for {unknown}, found none"


def test_program_is_as_declared(probe: Probe, wanted: Roce | None) -> None:
    expected = render(PROGRAM, qos=wanted.qos()).strip() if wanted else ""
    found = "another" if probe["program"].text else "none"
    assert not wanted or probe["program"].text.strip() == expected, (
        f"/{PROGRAM}: expected it as declared, found {found}"
    )


def test_unit_is_as_declared(probe: Probe, wanted: Roce | None) -> None:
    found = "another" if probe["unit"].text else "none"
    assert not wanted or probe["unit"].text.strip() == render(UNIT).strip(), f"/{UNIT}: expected ours, found {found}"


def test_units_start_with_their_interfaces(probe: Probe, ports: list[RocePort]) -> None:
    expected = sorted(f"{TEMPLATE}{escaped(port.interface)}.service" for port in ports)
    enabled = UnitInstances().process(probe["units"].lines)
    assert enabled == expected, f"units of RoCE interfaces: expected {expected} enabled, found {enabled}"


def test_quality_of_service(ports: list[RocePort], found: dict[str, PortQos], wanted: Roce | None) -> None:
    for port in ports if wanted else []:
        wrong = differences(wanted.qos(), found.get(port.interface, PortQos())) if wanted else {}
        assert not wrong, f"{port.interface}: {'; '.join(f'{name}: {text}' for name, text in wrong.items())}"


def test_driver_shows_everything(ports: list[RocePort], found: dict[str, PortQos], wanted: Roce | None) -> None:
    for port in ports if wanted else []:
        names = hidden(wanted.qos(), found.get(port.interface, PortQos())) if wanted else []
        if names:
            unproven(
                f"{port.interface}: expected a driver that shows {', '.join(names)}, found none of it; DOCA-OFED does"
            )


def test_ports_have_a_gid_of_roce_v2(ports: list[RocePort]) -> None:
    without = [port.interface for port in ports if not port.gids]
    assert not without, f"GIDs: expected one of RoCE v2 with an IPv4 address, found none on {without}"


def test_gid_has_the_same_index_everywhere(ports: list[RocePort]) -> None:
    if ports and all(port.gids for port in ports):
        found = {port.interface: list(port.gids) for port in ports}
        assert common_index(ports) is not None, f"GIDs: expected one index for all ports, found {found}"


def test_nccl_sends_from_this_gid(ports: list[RocePort], nccl: dict[str, str]) -> None:
    given = nccl.get(NCCL_GID, "-1")
    for port in ports if given != "-1" else []:
        known = [str(index) for index in port.gids]
        assert given in known, f"{HOST_FILE}: expected {NCCL_GID} in {known} for {port.device}, found {given}"


def test_nccl_sends_in_this_class(
    ports: list[RocePort], nccl: dict[str, str], wanted: Roce | None, found: dict[str, PortQos]
) -> None:
    if not ports or not wanted:
        return
    expected, given = wanted.traffic_class, nccl.get(NCCL_CLASS)
    forced = all(found.get(port.interface, PortQos()).traffic_class == expected for port in ports)
    assert given == str(expected) or (given is None and forced), (
        f"{HOST_FILE}: expected {NCCL_CLASS}={expected}, found {given or 'none'}; NCCL's data would not be lossless"
    )
