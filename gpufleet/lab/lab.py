"""A lab: hosts in containers that behave like machines, made and removed as a whole."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from gpufleet.errors import LabError
from gpufleet.lab import archive_process, containers, image, names, network, sources, state, waiting, workshop
from gpufleet.lab.hosts import USER, HostSpec, LabHost
from gpufleet.lab.image import Site
from gpufleet.lab.network import Network
from gpufleet.lab.profiles import Profile
from gpufleet.lab.recipe import Recipe
from gpufleet.lab.sources import Upstream
from gpufleet.lab.state import State
from gpufleet.project import state_dir

__all__ = ["DEFAULT_HOSTS", "HostSpec", "Lab", "LabHost"]

#: What `gpufleet lab up` makes when told no hosts.
DEFAULT_HOSTS = ("gpu-01=debian-12/hgx-h100", "gpu-02=debian-13/l40s-pcie")

Say = Callable[[str], None]


@dataclass(frozen=True)
class Lab:
    """A lab that is up."""

    name: str
    hosts: tuple[LabHost, ...]

    @classmethod
    def up(
        cls, name: str, hosts: Sequence[HostSpec] = (), images: Mapping[str, str] | None = None, say: Say = print
    ) -> Self:
        """Make the lab, or what is missing of it; without hosts, those that it has or else the default ones.

        Safe to interrupt and to repeat. Raises LabError before touching anything when a host is described wrongly.
        """
        lab, ready = State(names.well_formed("lab", name)), dict(images or {})
        check(hosts, ready)
        with lab.locked():
            found = containers.find(lab)
            wanted = hosts or (() if found else [HostSpec.parse(text) for text in DEFAULT_HOSTS])
            net = network.ensure(name)
            planned = containers.plan(lab, wanted, net, found)
            tags = prepare(lab, net, image.recipes((host.os for host in planned), ready), say)
            start(lab, planned, found, tags, net, say)
        return cls(name, tuple(planned))

    @classmethod
    def load(cls, name: str) -> Self:
        """The lab as its record has it; raises LabError where no lab of that name is up."""
        lab = State(name)
        record = lab.read()
        if record is None:
            near = sorted(path.parent.name for path in state_dir().glob("labs/*/lab.json"))
            there = f"only {', '.join(near)}" if near else "no lab at all"
            raise LabError(
                f"lab {name}", expected="a lab that is up", found=there, cure=f"run `gpufleet lab up --lab {name}`"
            )
        return cls(
            name,
            tuple(LabHost(host["name"], host["os"], host["profile"], host["address"], lab) for host in record["hosts"]),
        )

    @staticmethod
    def remove(name: str) -> None:
        """Remove everything that a lab of this name has, complete or not: containers, network, process and state."""
        lab = State(names.well_formed("lab", name))
        with lab.locked():
            containers.remove(lab)
            archive_process.stop(lab)
            network.remove(name)
            lab.remove()

    def down(self) -> None:
        """Remove the lab. Images and the cache of packages stay."""
        self.remove(self.name)

    def host(self, name: str) -> LabHost:
        """The host of that name; raises LabError that offers the nearest one."""
        by_name = {host.name: host for host in self.hosts}
        return by_name[names.known(f"lab {self.name}", "host", name, by_name)]


def check(hosts: Sequence[HostSpec], images: Mapping[str, str]) -> None:
    """Refuse unknown operating systems and profiles and hosts named twice."""
    for system in images:
        names.known("option --image", "operating system", system, names.SYSTEMS)
    for host in hosts:
        Profile.load(host.profile)
    twice = sorted({host.name for host in hosts if [other.name for other in hosts].count(host.name) > 1})
    if twice:
        raise LabError(
            "hosts", expected="every name once", found=f"{', '.join(twice)} twice", cure="rename one of them"
        )


def prepare(lab: State, net: Network, recipes: list[Recipe], say: Say) -> dict[str, str]:
    """Start the package archive and build the images that are missing; returns a tag per operating system."""
    upstream = sources.discover(sources.read(), sources.probe)
    if upstream:
        archive_process.ensure(lab, net, upstream)
    image.build_bases(recipes, net, upstream, say)
    if not upstream:
        upstream = from_images(recipes)
        archive_process.ensure(lab, net, upstream)
    return image.build(recipes, Site(net, upstream), say)


def from_images(recipes: list[Recipe]) -> Upstream:
    """Debian's archives as the images name them, for machines that do not run Debian."""
    found = [source for one in recipes for source in workshop.image_sources(one.base_tag())]
    upstream = sources.discover(found, sources.probe)
    if upstream is None:
        raise LabError(
            "package archive",
            expected="a Debian archive among apt's sources of this machine or of the image",
            found=", ".join(sorted({source.uri for source in found})) or "none",
            cure="add Debian's archive to /etc/apt/sources.list.d, or see that the network reaches it",
        )
    return upstream


def start(
    lab: State,
    hosts: list[LabHost],
    found: Mapping[str, containers.Found],
    tags: Mapping[str, str],
    net: Network,
    say: Say,
) -> None:
    """Bring all hosts up side by side, then record the lab."""
    state.ensure_key(lab.key, f"gpufleet-lab-{lab.lab}")
    state.write(lab.known_hosts, containers.known_hosts(hosts))

    def one(host: LabHost) -> None:
        status = found[host.name].status if host.name in found else None
        containers.start(host, status, tags[host.os], net)
        say(f"{host.name}: up at {host.address} ({host.os}, {host.profile})")

    waiting.each(hosts, one)
    record = {
        "name": lab.lab,
        "network": net.name,
        "hosts": [containers.describe(host) for host in hosts],
        "user": USER,
        "key": str(lab.key),
        "known_hosts": str(lab.known_hosts),
    }
    state.write(lab.record, json.dumps(record, indent=2) + "\n")
