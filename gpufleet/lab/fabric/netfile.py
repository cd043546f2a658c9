"""The net file of ibsim, made of a plan of the fabric.

Format, and what the options of a port mean: ibsim/sim_net.c of linux-rdma/ibsim 0.12, functions parse_netconf,
parse_switch, parse_endnode and parse_port_opt, read 2026-11-23.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping

from gpufleet.errors import Fault, FaultsFoundError
from gpufleet.fabric.plan import Plan
from gpufleet.fabric.ports import Cable, Port

#: What the ports of a link enable, by the speed that they then agree on: LinkSpeedEnabled and LinkSpeedExtEnabled.
SPEEDS: Mapping[str, tuple[int, int]] = {
    "SDR": (1, 0),
    "DDR": (3, 0),
    "QDR": (7, 0),
    "FDR": (7, 1),
    "EDR": (7, 3),
    "HDR": (7, 7),
    "NDR": (7, 15),
}
#: LinkWidthEnabled by the width that both ports then agree on.
WIDTHS: Mapping[str, int] = {"1x": 1, "2x": 17, "4x": 3, "8x": 7, "12x": 15}
#: Characters of a node's name that fit into what a program sends to attach itself (sim_client_info.nodeid).
LONGEST = 31
#: What ibsim keeps for itself in the name of a node.
RESERVED = frozenset('#@"')
#: ibsim's own limits (ibsim/sim.h).
MOST_NODES, MOST_SWITCHES, MOST_PORTS = 2048, 256, 13312
#: Ports of a switch whose plan does not tell them.
PORTS = 64
#: Mellanox's part of a GUID; what follows is made of the node's name.
_VENDOR = 0x0002C9 << 40


def text(plan: Plan) -> str:
    """Return the net file of a plan that `check` has passed."""
    ends = {end: (other, cable) for cable in plan.cables for end, other in _both(cable)}
    switches = [_switch(name, number_of_ports(plan, name), plan, ends) for name in plan.switches]
    devices = [
        _node(f"caguid={guid(plan, name):#x}\nHca", name, 1, [1] if Port(name, 1) in ends else [], ends)
        for name in plan.devices
    ]
    return "\n".join([*switches, *devices])


def guid(plan: Plan, name: str) -> int:
    """Return the GUID of a node: the plan's, else one that its name always leads to; a device's port has the next."""
    row = plan.switches.get(name) or plan.devices.get(name)
    if row is not None and row.guid is not None:
        return int(row.guid, 16)
    return made_up(name)


def made_up(name: str) -> int:
    """Return the GUID that a name leads to; the last four bits are left to ports."""
    return _VENDOR | int.from_bytes(hashlib.sha256(name.encode()).digest()[:5], "big") & ~0xF


def number_of_ports(plan: Plan, switch: str) -> int:
    """Return how many ports a switch has: the plan's number, else the usual one or as many as cables need."""
    used = [end.number for cable in plan.cables for end in (cable.a, cable.b) if end.node == switch]
    return plan.switches[switch].ports or max(PORTS, *used, 0)


def check(plan: Plan) -> None:
    """Raise FaultsFoundError with everything in the plan that the simulator cannot be."""
    if faults := list(_faults(plan)):
        raise FaultsFoundError(str(plan.path), faults)


def _faults(plan: Plan) -> Iterator[Fault]:
    yield from _names([*plan.switches, *plan.devices])
    for cable in plan.cables:
        if cable.speed not in SPEEDS:
            problem, cure = f"expected a speed that ibsim knows, found {cable.speed}", f"one of {', '.join(SPEEDS)}"
            yield Fault(str(cable), problem, f"write {cure} in the lab's plan")
        for port in (cable.a, cable.b):
            if port.node in plan.devices and port.number != 1:
                problem = f"expected port 1 of a device, found port {port.number}"
                yield Fault(str(cable), problem, "the lab's adapters have one port each")
    ports = sum(number_of_ports(plan, name) + 1 for name in plan.switches) + len(plan.devices)
    nodes = len(plan.switches) + len(plan.devices)
    found = {
        "nodes": (nodes, MOST_NODES),
        "switches": (len(plan.switches), MOST_SWITCHES),
        "ports": (ports, MOST_PORTS),
    }
    for what, (number, most) in found.items():
        if number > most:
            yield Fault(what, f"expected at most {most}, which is ibsim's limit, found {number}", "use a smaller plan")


def _names(nodes: Iterable[str]) -> Iterator[Fault]:
    for name in nodes:
        if len(name) > LONGEST or not RESERVED.isdisjoint(name):
            problem = f"expected at most {LONGEST} characters, none of {' '.join(sorted(RESERVED))}, found {len(name)}"
            yield Fault(name, problem, "rename the host or the switch in the lab")


def _both(cable: Cable) -> Iterator[tuple[Port, Port]]:
    yield cable.a, cable.b
    yield cable.b, cable.a


def _switch(name: str, ports: int, plan: Plan, ends: Mapping[Port, tuple[Port, Cable]]) -> str:
    used = [number for number in range(1, ports + 1) if Port(name, number) in ends]
    return _node(f"switchguid={guid(plan, name):#x}\nSwitch", name, ports, used, ends)


def _node(kind: str, name: str, ports: int, used: Iterable[int], ends: Mapping[Port, tuple[Port, Cable]]) -> str:
    lines = [f'{kind} {ports} "{name}"']
    for number in used:
        other, cable = ends[Port(name, number)]
        speed, extended = SPEEDS[cable.speed]
        lines.append(f'[{number}] "{other.node}"[{other.number}] w={WIDTHS[cable.width]} s={speed} e={extended}')
    return "\n".join([*lines, ""])
