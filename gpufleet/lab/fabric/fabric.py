"""The fabric of a lab: made of a plan beside the hosts, with faults that come and go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gpufleet.errors import LabError
from gpufleet.fabric import plan as plans
from gpufleet.fabric.plan import Plan
from gpufleet.lab import base, network, state, waiting
from gpufleet.lab.fabric import adapters, equipment, faults, netfile, simulator, wanted
from gpufleet.lab.fabric.simulator import PORT, Simulator
from gpufleet.lab.hosts import HostSpec, LabHost
from gpufleet.lab.network import Network
from gpufleet.lab.profiles import Profile
from gpufleet.lab.state import State


@dataclass(frozen=True)
class Fabric:
    """The fabric of a lab that has one."""

    lab: State
    plan: Plan
    hosts: tuple[LabHost, ...]

    @classmethod
    def of(cls, lab: State, hosts: tuple[LabHost, ...]) -> Fabric:
        """Return the lab's fabric; raises LabError where it has none."""
        if not copy_of(lab).is_file():
            cure = f"give it one: `gpufleet lab up --lab {lab.lab} --fabric FABRIC.yaml`"
            raise LabError(f"lab {lab.lab}", expected="a fabric", found="none", cure=cure)
        return cls(lab, plans.load(copy_of(lab)), hosts)

    @property
    def simulator(self) -> Simulator:
        """The simulator that is the fabric."""
        return Simulator(self.lab)

    def fault(self, kind: str, *words: str, clear: bool = False) -> None:
        """Inject a fault, or clear it: `fault("link-down", "leaf-01/3")`; doing either twice is fine.

        Raises LabError for an unknown kind, words that it cannot take, or a cable that has another fault.
        """
        faults.apply(self.lab, self.plan, self.hosts, wanted.read(self.plan, kind, words), clear=clear)

    def faults(self) -> list[str]:
        """Faults that the fabric has now, as they were asked for."""
        return faults.active(self.lab, self.plan, self.hosts)


def copy_of(lab: State) -> Path:
    """The lab's own copy of the plan: its presence means that the lab has a fabric."""
    return lab.path / "fabric.yaml"


def planned(path: Path | None, lab: State, hosts: Sequence[HostSpec | LabHost]) -> Plan | None:
    """Return the plan of the fabric to have, the given one or that which the lab has; None without any.

    Raises FaultsFoundError for a plan that its hosts or the simulator cannot be, and LabError for another plan than
    the lab's.
    """
    own = copy_of(lab)
    if path is None and not own.is_file():
        return None
    if path and own.is_file() and path.read_bytes() != own.read_bytes():
        cure = f"run `gpufleet lab down --lab {lab.lab}` first"
        raise LabError(f"lab {lab.lab}", expected="the plan that its fabric was made of", found=f"{path}", cure=cure)
    plan = plans.load(path or own)
    profiles = {host.name: host.profile for host in hosts}
    if adapters.TAKEN in profiles:
        cure = "give the host another name"
        found = f"a host called {adapters.TAKEN}"
        raise LabError(f"lab {lab.lab}", expected="the name fabric left to the simulator", found=found, cure=cure)
    adapters.check(plan, profiles)
    netfile.check(plan)
    return plan


def ensure(lab: State, plan: Plan, hosts: Sequence[LabHost], images: Mapping[str, str], say: base.Say) -> None:
    """Start the simulator and give the plan's hosts their adapters, as far as they lack them."""
    net = network.ensure(lab.lab)
    state.write(copy_of(lab), plan.path.read_text(encoding="utf-8"))
    own = Simulator(lab)
    own.start(net, netfile.text(plan), images, say)
    library = own.library()

    def one(host: LabHost) -> None:
        found = adapters.of(host.name, Profile.load(host.profile), plan)
        equipment.equip(host, found, simulator.address(net), PORT, library)

    waiting.each([host for host in hosts if host.name in plan.hosts], one)
    say(said(plan, net))


def said(plan: Plan, net: Network) -> str:
    """Return the line that tells of the fabric."""
    return (
        f"fabric: up at {simulator.address(net)} (ibsim, {len(plan.switches)} switches, {len(plan.devices)} devices, "
        f"{len(plan.cables)} cables)"
    )
