"""A lab: hosts in containers that behave like machines, made and removed as a whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from gpufleet.errors import LabError
from gpufleet.lab import archive_process, bringup, containers, docker, names, network
from gpufleet.lab.containerd import packages as runtimes
from gpufleet.lab.containerd import programs, runc
from gpufleet.lab.control_plane import control_plane as control_planes
from gpufleet.lab.control_plane.control_plane import ControlPlane
from gpufleet.lab.control_plane.server import Server
from gpufleet.lab.fabric import fabric as fabrics
from gpufleet.lab.fabric.fabric import Fabric
from gpufleet.lab.fabric.simulator import Simulator
from gpufleet.lab.hosts import HostSpec, LabHost
from gpufleet.lab.state import State
from gpufleet.project import state_dir

__all__ = ["DEFAULT_HOSTS", "HostSpec", "Lab", "LabHost"]

#: What `gpufleet lab up` makes when told no hosts.
DEFAULT_HOSTS = ("gpu-01=debian-12/hgx-h100", "gpu-02=debian-13/l40s-pcie")


@dataclass(frozen=True)
class Lab:
    """A lab that is up."""

    name: str
    hosts: tuple[LabHost, ...]

    @classmethod
    def up(
        cls,
        name: str,
        hosts: Sequence[HostSpec] = (),
        images: Mapping[str, str] | None = None,
        say: Callable[[str], None] = print,
        fabric: Path | None = None,
        kubernetes: bool = False,
        older_kubernetes: bool = False,
    ) -> Self:
        """Make the lab, or what is missing of it; without hosts, those that it has or else the default ones.

        `fabric` is the plan of an InfiniBand fabric to have beside them, `kubernetes` asks for a control plane,
        and for the packages of nodes, `older_kubernetes` for all of that and packages of an older minor beside.
        Safe to interrupt and to repeat. Raises LabError, or FaultsFoundError for a plan, before touching anything.
        """
        lab, ready = State(names.well_formed("lab", name)), dict(images or {})
        bringup.check(hosts, ready)
        docker.require_daemon()
        with lab.locked():
            found = [one.host for one in containers.find(lab).values()]
            wanted = hosts or ([] if found else [HostSpec.parse(text) for text in DEFAULT_HOSTS])
            plan = fabrics.planned(fabric, lab, [*found, *wanted])
            cluster = control_planes.planned(lab, found, wanted, say, asked=kubernetes, older=older_kubernetes)
            containerd = programs.ensure(say) if cluster else ()
            made = bringup.bring_up(lab, wanted, ready, say)
            if plan:
                fabrics.ensure(lab, plan, made, ready, say)
            if cluster:
                control_planes.ensure(lab, cluster, ready, say)
                runtimes.ensure(containerd, runc.ensure(lab, runtimes.systems(), ready, say))
            return cls(name, tuple(made))

    @classmethod
    def load(cls, name: str) -> Self:
        """The lab as its record has it; raises LabError where no lab of that name is up."""
        lab = State(name)
        if not lab.record.is_file():
            others = sorted(path.parent.name for path in state_dir().glob("labs/*/lab.json"))
            raise LabError(
                f"lab {name}",
                expected="a lab that is up",
                found=f"only {', '.join(others)}" if others else "no lab at all",
                cure=f"run `gpufleet lab up --lab {name}`",
            )
        return cls(name, tuple(containers.recorded(lab)))

    @staticmethod
    def remove(name: str) -> None:
        """Remove everything that a lab of this name has, complete or not: containers, network, process and state."""
        lab = State(names.well_formed("lab", name))
        docker.require_daemon()
        with lab.locked():
            containers.remove(lab)
            docker.remove(Simulator(lab).container)
            docker.remove(Server(lab).container)
            archive_process.stop(lab)
            network.remove(name)
            lab.remove()

    def down(self) -> None:
        """Remove the lab. Images and the cache of packages stay."""
        self.remove(self.name)

    @property
    def fabric(self) -> Fabric:
        """The lab's InfiniBand fabric; raises LabError where it has none."""
        return Fabric.of(State(self.name), self.hosts)

    @property
    def control_plane(self) -> ControlPlane:
        """The lab's Kubernetes control plane; raises LabError where it has none."""
        return ControlPlane.of(State(self.name))

    def host(self, name: str) -> LabHost:
        """The host of that name; raises LabError that offers the nearest one."""
        by_name = {host.name: host for host in self.hosts}
        return by_name[names.known(f"lab {self.name}", "host", name, by_name)]
