"""The package layer of an image: by mmdebstrap, or by apt inside a ready base image."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from gpufleet.errors import LabError, ToolMissingError
from gpufleet.lab import bundle, docker, prerequisites, state, workshop
from gpufleet.lab.network import Network
from gpufleet.lab.recipe import EXCLUDED, Recipe
from gpufleet.lab.sources import Upstream
from gpufleet.project import cache_dir

Say = Callable[[str], None]

#: The lines in which mmdebstrap says what it goes about.
STEP = re.compile(r"I: ((?:running apt-get|downloading|extracting|installing|creating)[^.]*)")
#: Installs the packages into a ready base image.
INSTALL = """
apt-get -q update
apt-get -q install --yes --no-install-recommends {packages}
apt-get clean
rm -rf /var/lib/apt/lists/*
"""
COMPILE = """
apt-get -q update
apt-get -q install --yes --no-install-recommends gcc libc6-dev
gcc -O2 -Wall -shared -fPIC -o /library.so /source.c
"""


def ensure(one: Recipe, net: Network, upstream: Upstream | None, say: Say) -> None:
    """Build the package layer unless Docker has it."""
    tag = one.base_tag()
    with state.locked(cache_dir() / "locks" / tag.replace(":", "-")):
        if docker.image_exists(tag):
            say(f"{one.system}: packages are in the image cache")
        elif one.image:
            say(f"{one.system}: installing {len(one.packages)} packages into {one.image}")
            install(one, tag, net, upstream)
        else:
            say(f"{one.system}: building the base system with mmdebstrap ({one.suite}, {len(one.packages)} packages)")
            bootstrap(one, tag, net, upstream, say)


def bootstrap(one: Recipe, tag: str, net: Network, upstream: Upstream | None, say: Say) -> None:
    """Run mmdebstrap and import its result."""
    target = cache_dir().absolute() / "build" / f"{tag.split(':')[1]}.tar"
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        run(one, [*mmdebstrap(one), one.suite, str(target), *mirror(one, net, upstream)], upstream, say)
        say(f"{one.system}: importing the base system into Docker")
        docker.docker("import", str(target), tag)
    finally:
        if target.exists():
            subprocess.run(prerequisites.as_root(["rm", "-f", str(target)]), check=False)


def mmdebstrap(one: Recipe) -> list[str]:
    """The mmdebstrap command without target and mirror."""
    path, text = one.initramfs
    return [
        *("mmdebstrap", "--variant=minbase", "--components=main", f"--include={','.join(one.packages)}"),
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in EXCLUDED),
        f"--setup-hook=mkdir -p $1{Path(path).parent}; printf %s {shlex.quote(text)} > $1{path}",
    ]


def mirror(one: Recipe, net: Network, upstream: Upstream | None) -> list[str]:
    """One-line sources for mmdebstrap through the lab's archive; none leaves the choice to mmdebstrap."""
    return [f"deb {line}" for line in workshop.archive_lines(one, net, upstream)]


def run(one: Recipe, command: list[str], upstream: Upstream | None, say: Say) -> None:
    """Run mmdebstrap, passing on what it says about its progress."""
    last = "no output"
    with started(command, environment(os.environ, direct=upstream is not None)) as process:
        for line in process.stderr or ():
            last = line.strip() or last
            if step := STEP.match(line):
                say(f"{one.system}: {step[1]}")
    if process.returncode != 0:
        raise LabError(
            f"image {one.system}",
            expected="a base system from mmdebstrap",
            found=f"exit status {process.returncode}: {last}",
            cure="see that `apt-get update` works on this machine, then run the command again",
        )


def started(command: list[str], variables: Mapping[str, str]) -> subprocess.Popen[str]:
    """Start mmdebstrap as root; raises ToolMissingError where it is not installed."""
    if shutil.which(command[0]) is None:
        raise ToolMissingError(
            "lab", expected="the program mmdebstrap", found="none on PATH", cure="install the package mmdebstrap"
        )
    return subprocess.Popen(
        prerequisites.as_root(command), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=variables
    )


def environment(given: Mapping[str, str], *, direct: bool) -> dict[str, str]:
    """Environment of mmdebstrap; the lab's own archive must not be sought through a proxy."""
    return {name: value for name, value in given.items() if not (direct and name.lower().endswith("_proxy"))}


def install(one: Recipe, tag: str, net: Network, upstream: Upstream | None) -> None:
    """Install the packages into a ready base image, in a throwaway container."""
    excluded = "".join(f"path-exclude={pattern}\n" for pattern in EXCLUDED)
    files = [
        bundle.Entry(one.initramfs[0], one.initramfs[1].encode()),
        bundle.Entry("/etc/dpkg/dpkg.cfg.d/gpufleet-lab", excluded.encode()),
        *workshop.archive_list(one, net, upstream),
    ]
    script = workshop.USE_LIST + INSTALL.format(packages=" ".join(one.packages))
    with workshop.made(one.image, tag.split(":")[1], script, files, network=net.name) as container:
        docker.docker("commit", container, tag)


def compile_library(one: Recipe, net: Network, upstream: Upstream | None, source: Path, library: Path) -> None:
    """Compile a C file to a shared library, in a throwaway container on top of the package layer."""
    files = [bundle.Entry("/source.c", source.read_bytes()), *workshop.archive_list(one, net, upstream)]
    name = f"library-{library.stem}"
    with workshop.made(one.base_tag(), name, workshop.USE_LIST + COMPILE, files, network=net.name) as container:
        partial = library.with_suffix(".part")
        docker.docker("cp", f"{container}:/library.so", str(partial))
        partial.replace(library)
