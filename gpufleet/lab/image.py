"""The images of the lab's hosts: built in two layers, packages and machine, and kept by content."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from gpufleet.lab import base, bundle, docker, identity, pruning, recipe, sources, state, waiting, workshop
from gpufleet.lab.docker import image_exists
from gpufleet.lab.identity import MACHINE_TARGET
from gpufleet.lab.network import Network
from gpufleet.lab.recipe import EMULATION, EMULATION_TARGET, REPOSITORY, Recipe
from gpufleet.lab.sources import Upstream
from gpufleet.project import cache_dir

Say = Callable[[str], None]


@dataclass(frozen=True)
class Site:
    """Where images are built: the network with the archive's gateway, and what is behind the archive."""

    network: Network
    upstream: Upstream


def recipes(systems: Iterable[str], images: Mapping[str, str]) -> list[Recipe]:
    """This week's recipe of each operating system."""
    week = recipe.this_week()
    return [Recipe(system, images.get(system, ""), week) for system in sorted(set(systems))]


def build_bases(wanted: list[Recipe], net: Network, upstream: Upstream | None, say: Say) -> None:
    """Build the package layers that are missing, side by side."""
    waiting.each(wanted, lambda one: base.ensure(one, net, upstream, say))


def build(wanted: list[Recipe], site: Site, say: Say) -> dict[str, str]:
    """Build the images that are missing on top of their package layers; returns a tag per operating system."""
    tags = dict(waiting.each(wanted, lambda one: (one.system, ensure(one, site, say))))
    pruning.prune([*tags.values(), *(one.base_tag() for one in wanted)])
    return tags


def ensure(one: Recipe, site: Site, say: Say) -> str:
    """Tag of a host image, built where it is missing."""
    parts = recipe.parts(one.os, *suites(one, site.upstream))
    tag = one.tag(parts)
    with state.locked(cache_dir() / "locks" / tag.replace(":", "-")):
        if not image_exists(tag):
            say(f"{one.system}: adding user, SSH server and emulated hardware")
            finish(one, tag, [*parts, *preload(one, site, say)])
    return tag


def suites(one: Recipe, upstream: Upstream) -> tuple[list[str], list[str]]:
    """Suites of the release that upstream really has: of the archive, and of the security archive."""
    wanted = [one.suite, f"{one.suite}-updates", f"{one.suite}-backports"]
    security = f"{one.suite}-security"
    return (
        [name for name in wanted if sources.probe(upstream.debian, name)],
        [security] if upstream.security and sources.probe(upstream.security, security) else [],
    )


def finish(one: Recipe, tag: str, parts: list[bundle.Entry]) -> None:
    """Turn the package layer into a host image."""
    steps = [f"{MACHINE_TARGET}/setup", f"{EMULATION_TARGET}/install", *identity.steps(one.os)]
    with workshop.made(one.base_tag(), tag.split(":")[1], "\n".join(steps), parts) as container:
        docker.docker("commit", '--change=CMD ["/sbin/init"]', container, tag)


def preload(one: Recipe, site: Site, say: Say) -> list[bundle.Entry]:
    """The emulation's uname library, compiled in a throwaway container with a compiler and kept by content."""
    source = EMULATION / "uname.c"
    if not source.exists():
        return []
    library = cache_dir() / "emulation" / f"{recipe.tag('', '', source.read_text()).split('-')[-1]}.so"
    with state.locked(library.with_suffix(".lock")):
        if not library.is_file():
            say(f"{one.system}: compiling the library that makes uname(2) tell the host's own kernel")
            base.compile_library(one, site.network, site.upstream, source, library)
    return [bundle.Entry(f"{EMULATION_TARGET}/libuname.so", library.read_bytes(), 0o644)]


def purge() -> None:
    """Remove every image that the lab has built."""
    for tag in docker.lines("images", REPOSITORY, "--format", "{{.Repository}}:{{.Tag}}"):
        docker.docker("rmi", tag)
