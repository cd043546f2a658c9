"""RDMA over Ethernet: a unit for each port that sets it up now and whenever its interface appears."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence

from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host

from gpufleet.facts.network import NeededInterfaces
from gpufleet.facts.rdma_ethernet import PortsQos, RocePorts, UnitInstances
from gpufleet.network.roce import PortQos, Qos, RocePort, choose, differences
from gpufleet.operations import failure

Commands = Generator[StringCommand, None, None]


@operation()
def configured(template: str, wanted: Qos, named: Sequence[str] | None) -> Commands:
    """
    Have the unit of each port enabled, and run it where a port is otherwise than wanted; units of others go.

    An interface that carries the default route or this SSH session is passed over where all are meant, and refused
    where it is named: setting it up takes its link down for a moment.

    + template: name of the template unit up to and with the `@`
    + wanted: what the unit's program sets
    + named: interfaces or RDMA devices; none means every port whose link layer is Ethernet

    **Example:**

    .. code:: python

        rdma_ethernet.configured(name="Set up RoCE", template="gpufleet-roce@", wanted=qos, named=["mlx5_0"])
    """
    there: list[RocePort] = host.get_fact(RocePorts)
    ports, unknown = choose(there, named)
    needed: dict[str, str] = host.get_fact(NeededInterfaces)
    refusal = _refusal(ports if named is not None else [], unknown, needed)
    if refusal is not None:
        yield refusal
        return
    for name in [port.interface for port in ports if port.interface in needed]:
        host.noop(f"{name} is left as it is: it carries {needed[name]}")
    free = [port for port in ports if port.interface not in needed]
    units = {port.interface: f"{template}{escaped(port.interface)}.service" for port in free}
    enabled = host.get_fact(UnitInstances, template=template)
    if left := [unit for unit in enabled if unit not in units.values()]:
        yield StringCommand("systemctl", "disable", "--now", *map(QuoteString, left))
    if new := [unit for unit in units.values() if unit not in enabled]:
        yield StringCommand("systemctl", "enable", *map(QuoteString, new))
    wrong = [units[interface] for interface in _wrong(free, wanted)]
    if wrong:
        yield StringCommand("systemctl", "restart", *map(QuoteString, wrong))
    # Want these ports so and have them so?
    if not (left or new or wrong):
        host.noop(f"RoCE is as declared: {', '.join(units) or 'no port with Ethernet below it'}")


def escaped(name: str) -> str:
    """Return the name of an interface as systemd writes it in the name of a unit: `a-b` is `a\\x2db`."""
    return "".join(c if c.isalnum() or c in ":_." else f"\\x{ord(c):02x}" for c in name)


def _wrong(ports: Sequence[RocePort], wanted: Qos) -> list[str]:
    if not ports:
        return []
    triples = [(port.interface, port.device, port.number) for port in ports]
    found: dict[str, PortQos] = host.get_fact(PortsQos, ports=triples)
    return [port.interface for port in ports if differences(wanted, found.get(port.interface, PortQos()))]


def _refusal(named: Sequence[RocePort], unknown: Sequence[str], needed: Mapping[str, str]) -> StringCommand | None:
    if unknown:
        there = ", ".join(f"{port.interface} ({port.device})" for port in host.get_fact(RocePorts))
        return failure(
            f"{host.name}: roce.interfaces",
            expected=f"an RDMA port with Ethernet below it for {unknown[0]}",
            found=there or "no such port",
            cure="correct the name; `rdma link` lists devices with their interfaces",
        )
    for port in named:
        if port.interface in needed:
            return failure(
                f"{host.name}: {port.interface}",
                expected="an interface that the way to this host does not depend on",
                found=f"one that carries {needed[port.interface]}",
                cure="take it out of roce.interfaces and set it up by hand, from the console",
            )
    return None
