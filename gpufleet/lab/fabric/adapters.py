"""Which adapter of a host's profile is which device of the plan, and what the host is told about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

from gpufleet.errors import Fault, FaultsFoundError, LabError
from gpufleet.fabric.plan import Plan
from gpufleet.lab.fabric import netfile
from gpufleet.lab.profiles import Profile

_VENDOR, _NETWORK, _INFINIBAND = "15b3", "02", "0207"
#: What the library of the simulator calls its device. Its name in a host takes the place of these bytes.
SIMULATED = b"ibsim0"
#: A host of this name would have the simulator's container.
TAKEN = "fabric"


@dataclass(frozen=True)
class Adapter:
    """One network function of Mellanox; `node` is its name in the simulator, empty where the plan has none."""

    name: str
    address: str
    link_layer: str
    guid: str
    node: str = ""


def of(host: str, profile: Profile, plan: Plan) -> list[Adapter]:
    """Return the adapters of a host by name: mlx5_N is the N-th on the bus, as the kernel finds them."""
    found = sorted(
        (address, group.class_code.startswith(_INFINIBAND))
        for group in profile.pci
        for addresses in group.addresses.values()
        for address in addresses
        if group.vendor == _VENDOR and group.class_code.startswith(_NETWORK)
    )
    return [_adapter(f"{host} mlx5_{index}", *row, plan) for index, row in enumerate(found)]


def _adapter(node: str, address: str, infiniband: bool, plan: Plan) -> Adapter:
    return Adapter(
        node.partition(" ")[2],
        address,
        "InfiniBand" if infiniband else "Ethernet",
        f"{netfile.guid(plan, node):016x}",
        node if node in plan.devices else "",
    )


def check(plan: Plan, profiles: Mapping[str, str]) -> None:
    """Refuse a plan whose hosts and devices the lab's hosts (name to profile) do not have.

    Raises FaultsFoundError with all that is wrong.
    """
    if faults := [fault for host, nodes in plan.hosts.items() for fault in _faults(host, nodes, plan, profiles)]:
        raise FaultsFoundError(str(plan.path), faults)


def _faults(host: str, nodes: list[str], plan: Plan, profiles: Mapping[str, str]) -> Iterator[Fault]:
    if host not in profiles:
        yield Fault("hosts", "not in the lab", "name it as NAME=OS/PROFILE, or take it out of the plan", host)
        return
    known = {adapter.name: adapter for adapter in of(host, Profile.load(profiles[host]), plan)}
    usable = [name for name, row in known.items() if row.link_layer == "InfiniBand" and len(name) == len(SIMULATED)]
    cure = f"use {' '.join(usable)}" if usable else "give the host a profile with such adapters, as hgx-a100"
    for device in (node.partition(" ")[2] for node in nodes):
        adapter = known.get(device)
        if len(device) != len(SIMULATED):
            problem = f"expected a name of {len(SIMULATED)} characters, found {device}"
        elif adapter is None:
            problem = f"expected an adapter of profile {profiles[host]}, found {device}"
        elif adapter.link_layer != "InfiniBand":
            problem = f"expected an InfiniBand adapter, found {device} at {adapter.address}, which is Ethernet"
        else:
            continue
        yield Fault("hosts", problem, cure, host)


def told(adapters: list[Adapter], server: str, port: int) -> dict[str, object]:
    """Return what a host's fabric.json says: the simulator's address, and all adapters."""
    return {"server": server, "port": port, "adapters": [asdict(adapter) for adapter in adapters]}


def library(original: bytes, device: str) -> bytes:
    """Return the simulator's library with its one device renamed; both names are equally long.

    Raises LabError where the library does not name its device exactly once.
    """
    if (found := original.count(SIMULATED)) != 1:
        cure = "the lab needs libumad2sim of ibsim 0.12"
        raise LabError("libumad2sim.so", expected="the name ibsim0 once", found=f"it {found} times", cure=cure)
    return original.replace(SIMULATED, device.encode())
