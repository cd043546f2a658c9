"""Faults of the fabric: what the simulator or a host does about them, and which there are."""

from __future__ import annotations

import json
from collections.abc import Sequence

from gpufleet.errors import LabError
from gpufleet.fabric.plan import Plan
from gpufleet.fabric.ports import Port
from gpufleet.lab import faults as host_faults
from gpufleet.lab import state, waiting
from gpufleet.lab.fabric import managers, wanted
from gpufleet.lab.fabric.netfile import SPEEDS, WIDTHS
from gpufleet.lab.fabric.simulator import Simulator
from gpufleet.lab.fabric.wanted import KILLED, NARROW, Wanted
from gpufleet.lab.hosts import LabHost
from gpufleet.lab.state import State


def apply(lab: State, plan: Plan, hosts: Sequence[LabHost], fault: Wanted, *, clear: bool) -> None:
    """Bring a fault about, or take it away."""
    simulator = Simulator(lab)
    if fault.kind == KILLED:
        kill(hosts, fault, simulator, clear=clear)
        return
    there = recorded(simulator, plan)
    same = [row for row in there if (row.kind, row.place) == (fault.kind, fault.place)]
    if clear:
        for row in same:
            repair(simulator, row)
        record(simulator, [row for row in there if row not in same])
    elif not any(str(row) == str(fault) for row in same):
        refuse_second(fault, there)
        inject(simulator, fault)
        record(simulator, [*(row for row in there if row not in same), fault])


def kill(hosts: Sequence[LabHost], fault: Wanted, simulator: Simulator, *, clear: bool) -> None:
    """Kill the subnet managers of a host, or start them again."""
    name, device = (*fault.words, "")[:2]
    host = next(host for host in hosts if host.name == name)
    if clear:
        managers.revive(host, device)
    else:
        managers.kill(host, device, simulator)


def refuse_second(fault: Wanted, there: Sequence[Wanted]) -> None:
    """Refuse a fault of a cable that has another one."""
    for row in there:
        if both := set(fault.cables) & set(row.cables):
            cure = f"clear it first: `gpufleet lab fabric-fault --clear {row}`"
            raise LabError(f"cable {min(both)}", expected="no fault of it yet", found=f"`{row}`", cure=cure)


def inject(simulator: Simulator, fault: Wanted) -> None:
    """Bring a fault of a cable or a port about."""
    match fault.kind:
        case "link-down":
            simulator.ask(f"Unlink {quoted(fault.ends[0])}")
        case "swapped":
            connect(simulator, fault, crosswise=True)
        case "slow" | "narrow":
            set_link(simulator, fault, fault.value)
        case _:
            count(simulator, fault.ends[0], fault.value)


def repair(simulator: Simulator, fault: Wanted) -> None:
    """Bring back what the plan has."""
    match fault.kind:
        case "link-down":
            simulator.ask(f"Link {quoted(fault.cables[0].a)} {quoted(fault.cables[0].b)}")
        case "swapped":
            connect(simulator, fault, crosswise=False)
        case "slow":
            set_link(simulator, fault, fault.cables[0].speed)
        case "narrow":
            set_link(simulator, fault, fault.cables[0].width)
        case _:
            count(simulator, fault.ends[0], f"{fault.value.partition('=')[0]}=0")


def quoted(port: Port) -> str:
    """Return a port as the console reads it."""
    return f'"{port.node}"[{port.number}]'


def connect(simulator: Simulator, fault: Wanted, *, crosswise: bool) -> None:
    """Pull two cables and put them in again, each to its own end or to that of the other."""
    near = [quoted(end) for end in fault.ends]
    far = [quoted(fault.other(end)) for end in fault.ends]
    simulator.ask(*(f"Unlink {end}" for end in near))
    ends = reversed(far) if crosswise else far
    simulator.ask(*(f"Link {one} {other}" for one, other in zip(near, ends, strict=True)))


def set_link(simulator: Simulator, fault: Wanted, value: str) -> None:
    """Have both ends of a link allow a speed or width; ibsim takes it up at once."""
    if fault.kind == NARROW:
        settings = {"width": WIDTHS[value]}
    else:
        usual, extended = SPEEDS[value]
        settings = {"extended": extended} if extended else {"speed": usual}
    for end in (fault.cables[0].a, fault.cables[0].b):
        simulator.set_port(end.node, end.number, **settings)


def count(simulator: Simulator, port: Port, setting: str) -> None:
    """Set one of a port's counters."""
    simulator.ask(f"PerformanceSet {quoted(port)} PortCounters.{setting}")


def recorded(simulator: Simulator, plan: Plan) -> list[Wanted]:
    """Faults that were injected since the simulator began; one that began anew has none."""
    path = simulator.lab.path / "fabric-faults.json"
    rows = json.loads(path.read_text()) if path.is_file() else {}
    if rows.get("began") != simulator.started():
        return []
    return [wanted.read(plan, kind, words) for kind, *words in rows["faults"]]


def record(simulator: Simulator, faults: Sequence[Wanted]) -> None:
    """Remember the faults with the start of the simulator that has them."""
    rows = {"began": simulator.started(), "faults": [[fault.kind, *fault.words] for fault in faults]}
    state.write(simulator.lab.path / "fabric-faults.json", json.dumps(rows, indent=2) + "\n")


def active(lab: State, plan: Plan, hosts: Sequence[LabHost]) -> list[str]:
    """Faults that there are now, as they are asked for."""
    up = [host for host in hosts if host.name in plan.hosts and host_faults.running(host)]
    killed = waiting.each(up, lambda host: [f"{KILLED} {host.name} {device}" for device in managers.killed(host)])
    return [*map(str, recorded(Simulator(lab), plan)), *(text for row in killed for text in row)]
