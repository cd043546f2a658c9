"""Throwaway containers in which images are made and the emulation is compiled."""

from __future__ import annotations

import contextlib
import io
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from gpufleet.errors import LabError
from gpufleet.lab import docker, sources
from gpufleet.lab.archive import PORT
from gpufleet.lab.bundle import Entry, copy
from gpufleet.lab.network import Network
from gpufleet.lab.recipe import Recipe
from gpufleet.lab.sources import Source, Upstream

#: Every throwaway container is called so.
PREFIX = "gpufleet-build-"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
LIST = "/gpufleet-lab.list"
#: Makes apt use the lab's archive where its list was given, and the image's own sources otherwise.
USE_LIST = f"""
if [ -f {LIST} ]; then rm -f /etc/apt/sources.list.d/*; mv {LIST} /etc/apt/sources.list; fi
export DEBIAN_FRONTEND=noninteractive
"""


@contextlib.contextmanager
def made(image: str, name: str, script: str, files: Iterable[Entry], network: str = "none") -> Iterator[str]:
    """Run a shell script in a throwaway container with the files in it; yields the container when it has succeeded."""
    container = f"{PREFIX}{name}"  # no label: images would inherit it, and hosts from them
    docker.remove(container)  # an interrupted build may have left it
    try:
        docker.docker(
            *("create", "--name", container, f"--network={network}", image, "/bin/sh", "-ec", script),
        )
        copy(files, container)
        result = docker.docker("start", "--attach", container, check=False)
        if result.returncode != 0:
            raise failed(image, result)
        yield container
    finally:
        docker.remove(container)


def failed(image: str, result: docker.Result) -> LabError:
    """The refusal when the script in a throwaway container fails."""
    last = ((result.stderr.strip() or result.stdout.strip()).splitlines() or ["no output"])[-1]
    return LabError(
        f"image {image}",
        expected="a build step that succeeds",
        found=f"exit status {result.returncode}: {last}",
        cure="correct that and run the command again: finished layers are kept",
    )


def archive_list(one: Recipe, net: Network, upstream: Upstream | None) -> list[Entry]:
    """Package sources for USE_LIST: the lab's archive by address; none where upstream is not known yet."""
    lines = "".join(f"deb [signed-by={KEYRING}] {line}\n" for line in archive_lines(one, net, upstream))
    return [Entry(LIST, lines.encode())] if lines else []


def archive_lines(one: Recipe, net: Network, upstream: Upstream | None) -> list[str]:
    """Address, suite and component of what a base system is made from."""
    if upstream is None:
        return []
    base, suite = f"http://{net.gateway}:{PORT}", one.suite
    security = [f"{base}/debian-security {suite}-security main"] if upstream.security else []
    return [f"{base}/debian {suite} main", f"{base}/debian {suite}-updates main", *security]


def image_sources(image: str) -> list[Source]:
    """Package sources written inside an image."""
    with made(image, "sources", "true", []) as container, tempfile.TemporaryDirectory() as directory:
        raw = docker.raw("cp", f"{container}:/etc/apt", "-")
        with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
            archive.extractall(directory, filter="data")
        return sources.read(Path(directory) / "apt")
