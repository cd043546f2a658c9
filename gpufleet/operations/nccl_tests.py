"""NVIDIA's nccl-tests, built on the host from a source archive that is pinned by its checksum."""

from __future__ import annotations

import shlex
from collections.abc import Generator
from typing import Any

from pyinfra.api.command import StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host
from pyinfra.facts.files import File

from gpufleet.errors import HostError
from gpufleet.facts.family import EL, OsFamily
from gpufleet.operations import deadline, packages

Commands = Generator[Any, None, None]

#: The stamp is written last and names the archive: another archive, or a build that was cut off, is built again.
_BUILD = (
    'set -e; work=$(mktemp -d); trap \'rm -rf "$work"\' EXIT; cd "$work"; '
    "curl --fail --silent --show-error --location --output source.tar.gz {url}; "
    'found=$(sha256sum source.tar.gz | cut -d" " -f1); if [ "$found" != {sha256} ]; then '
    'printf \'%s\\n\' "{where}: expected sha256 "{sha256}", found $found; correct the checksum or the URL" >&2; '
    "exit 1; fi; mkdir source; tar --extract --gzip --file source.tar.gz --directory source --strip-components=1; "
    'home=/usr/local/cuda; [ -x $home/bin/nvcc ] || home=$(dirname "$(dirname "$(command -v nvcc)")"); '
    'make --directory source --jobs="$(nproc)" CUDA_HOME="$home" NCCL_HOME=/usr >build.log 2>&1 || '
    "{{ grep -m5 -iE 'error|not found' build.log >&2 || tail -n5 build.log >&2; exit 1; }}; "
    "rm -rf {directory}; mkdir -p {directory}; cp source/build/*_perf {directory}/; touch {stamp}"
)


@operation()
def toolchain(timeout: int = 1800) -> Commands:
    """
    Install a C++ compiler, make and curl; the toolkit's own compiler is the toolkit role's work.

    + timeout: seconds after which the installation is stopped on the host

    **Example:**

    .. code:: python

        nccl_tests.toolchain(name="Install what builds nccl-tests")
    """
    compiler = "gcc-c++" if host.get_fact(OsFamily) == EL else "g++"
    yield from packages.exact._inner(packages=["ca-certificates", "curl", compiler, "make"], timeout=timeout)


@operation()
def built(url: str, sha256: str, directory: str, timeout: int = 1800) -> Commands:
    """
    Build nccl-tests with the host's compiler, toolkit and NCCL.

    + url: source archive, a gzipped tar file with one folder
    + sha256: its checksum
    + directory: where the programs go; whatever was there goes
    + timeout: seconds after which the build is stopped on the host

    **Example:**

    .. code:: python

        nccl_tests.built(
            name="Build nccl-tests",
            url="https://github.com/NVIDIA/nccl-tests/archive/refs/tags/v2.17.6.tar.gz",
            sha256="...",
            directory="/opt/nccl-tests",
        )
    """
    stamp = f"{directory}/.built-{sha256}"
    # Want them built from this archive and have them?
    if host.get_fact(File, path=stamp):
        host.noop(f"nccl-tests are in {directory}")
        return
    words = {"url": url, "sha256": sha256, "directory": directory, "stamp": stamp}
    quoted = {name: shlex.quote(word) for name, word in words.items()}
    script = _BUILD.format(**quoted, where=f"{host.name}: nccl-tests")
    late = HostError(
        f"{host.name}: nccl-tests",
        expected=f"their build to finish within {timeout} seconds",
        found="it still running, and stopped it",
        cure="see that the host reaches the archive, then raise install_timeout or free the host",
    )
    yield StringCommand(deadline.within(timeout, f"sh -c {shlex.quote(script)}", late))
