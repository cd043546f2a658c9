"""From what a lab has to what it should have: archive, images and hosts, skipping whatever is there already."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

from gpufleet.errors import LabError
from gpufleet.lab import (
    archive_process,
    containers,
    el_repositories,
    image,
    names,
    network,
    sources,
    state,
    vendors,
    waiting,
    workshop,
)
from gpufleet.lab.containers import Found
from gpufleet.lab.hosts import USER, HostSpec, LabHost
from gpufleet.lab.image import Site
from gpufleet.lab.network import Network
from gpufleet.lab.profiles import Profile
from gpufleet.lab.recipe import Recipe
from gpufleet.lab.sources import Upstream
from gpufleet.lab.state import State

Say = Callable[[str], None]


def check(hosts: Sequence[HostSpec], images: Mapping[str, str]) -> None:
    """Refuse unknown operating systems and profiles and hosts named twice."""
    for system in images:
        names.known("option --image", "operating system", system, names.SYSTEMS)
    for host in hosts:
        names.known(f"host {host.name}", "operating system", host.os, names.SYSTEMS)
        Profile.load(host.profile)
    given = [host.name for host in hosts]
    if twice := sorted({name for name in given if given.count(name) > 1}):
        raise LabError(
            "hosts", expected="every name once", found=f"{', '.join(twice)} more than once", cure="rename one of them"
        )


def bring_up(lab: State, specs: Sequence[HostSpec], images: Mapping[str, str], say: Say) -> list[LabHost]:
    """Make what is missing of the lab, host by host side by side, and record it; returns its hosts."""
    found = containers.find(lab)
    net = network.ensure(lab.lab)
    hosts = containers.plan(lab, specs, net, found)
    systems = {host.os for host in hosts if host.name not in found or not found[host.name].complete}
    own_repositories(hosts)
    tags = prepare(lab, net, image.recipes(systems, images), say)
    start(hosts, found, tags, net, say)
    record(lab, net, hosts)
    return hosts


def own_repositories(hosts: Sequence[LabHost]) -> None:
    """Have the lab's own repositories as they are declared now: an archive that runs serves them from then on."""
    vendors.ensure()
    if any(names.SYSTEMS[host.os].family == "el" for host in hosts):
        el_repositories.ensure()


def prepare(lab: State, net: Network, recipes: list[Recipe], say: Say) -> dict[str, str]:
    """Start the package archive and build the images that are missing; returns a tag per operating system."""
    if not recipes and archive_process.serves(lab):
        return {}
    upstream = sources.discover(sources.read(), sources.probe)
    if upstream:
        archive_process.ensure(lab, net, upstream)
    image.build_bases(recipes, net, upstream, say)
    if upstream is None:
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


def start(hosts: list[LabHost], found: Mapping[str, Found], tags: Mapping[str, str], net: Network, say: Say) -> None:
    """Bring all hosts up side by side."""
    if not hosts:
        return
    lab = hosts[0].state
    state.ensure_key(lab.key, f"gpufleet-lab-{lab.lab}")
    state.write(lab.known_hosts, containers.known_hosts(hosts))

    def one(host: LabHost) -> None:
        containers.start(host, found.get(host.name), tags.get(host.os, ""), net)
        say(f"{host.name}: up at {host.address} ({host.os}, {host.profile})")

    waiting.each(hosts, one)


def record(lab: State, net: Network, hosts: list[LabHost]) -> None:
    """Write lab.json: from here on the lab is complete."""
    content = {
        "name": lab.lab,
        "network": net.name,
        "hosts": [containers.describe(host) for host in hosts],
        "user": USER,
        "key": str(lab.key),
        "known_hosts": str(lab.known_hosts),
    }
    state.write(lab.record, json.dumps(content, indent=2) + "\n")
