"""Libraries beside a toolkit: packages of which another version is installed, taken from the same repository."""

from __future__ import annotations

import shlex
from collections.abc import Generator, Sequence
from typing import Any

from pyinfra.api.command import StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host

from gpufleet.errors import HostError
from gpufleet.facts.family import EL, OsFamily
from gpufleet.facts.unpacked import MANIFESTS, UnpackedPackage, UnpackedPackages
from gpufleet.operations import deadline, dnf, packages
from gpufleet.stack.resolution import Unpacked

Commands = Generator[Any, None, None]

#: apt checks the file against its signed lists; rpm checks the file's own signature.
_FETCH = {
    "deb": 'apt-get download --quiet=2 "$name=$version" && dpkg-deb --extract ./*.deb tree',
    "rpm": (
        'dnf --quiet download "$name-$version" && rpmkeys --checksig ./*.rpm >&2 && '
        "rpm2archive ./*.rpm && mkdir tree && tar --extract --gzip --file ./*.tgz --directory tree"
    ),
}
#: The manifest comes last: an unpacking that was cut off is done again.
_UNPACK = (
    "set -e; name={name}; version={version}; directory={directory}; manifest={manifest}; "
    'work=$(mktemp -d); trap \'rm -rf "$work"\' EXIT; cd "$work"; {fetch}; '
    'home="$directory/{component}"; mkdir -p "$home/include" "$home/lib"; echo "$name $version $directory" >list; '
    "for file in tree/usr/include/* tree/usr/lib64/lib* tree/usr/lib/*-linux-gnu/lib*; do "
    '[ -e "$file" ] || [ -L "$file" ] || continue; '
    "case $file in tree/usr/include/*) into=include;; *) into=lib;; esac; "
    'cp -a "$file" "$home/$into/"; echo "$home/$into/${{file##*/}}" >>list; done; '
    'install -D -m 644 list "$manifest"'
)
_REMOVE = (
    'manifest={manifest}; tail -n +2 "$manifest" | xargs -r -d "\\n" rm -rf -- && '
    "{{ rmdir --ignore-fail-on-non-empty -p {directory}/{component}/include {directory}/{component}/lib 2>/dev/null; "
    'rm -f "$manifest"; }}'
)


@operation()
def exactly(wanted: Sequence[Unpacked], component: str, timeout: int = 1800) -> Commands:
    """
    Have the files of these packages beside their toolkits, and those of no other package of this component.

    + wanted: packages with their versions and the toolkits' directories
    + component: component of the stack that they belong to, such as `nccl`; packages carry it in their names
    + timeout: seconds after which one download is stopped on the host

    They get a folder of their own, `/usr/local/cuda-12.9/nccl` with `include` and `lib`, and not the toolkit's `lib64`:
    the linker looks there for programs of every toolkit and would take this build for the installed one, as both
    have one name. Who builds with them names the folder (NCCL_HOME, `-L` and an rpath).

    **Example:**

    .. code:: python

        unpacked.exactly(wanted=resolution.unpacked, component="nccl", name="Put NCCL for CUDA 12 beside its toolkit")
    """
    there = [row for row in host.get_fact(UnpackedPackages) if component in row.name]
    rows = [UnpackedPackage(item.name, item.version, item.directory) for item in wanted]
    surplus = [row for row in there if row not in rows]
    missing = [row for row in rows if row not in there]
    # Want these and have exactly these?
    if not surplus and not missing:
        listed = [f"{row.name} {row.version} in {row.directory}" for row in rows]
        host.noop(", ".join(listed) or f"no {component} beside a toolkit")
        return
    for row in surplus:
        yield StringCommand(_script(_REMOVE, row, component=component))
    if missing:
        kind = "rpm" if host.get_fact(OsFamily) == EL else "deb"
        if kind == "rpm":
            yield from dnf.exact._inner(packages=["dnf-plugins-core"])
        yield from packages.refreshed._inner()
        for row in missing:
            script = _script(_UNPACK, row, fetch=_FETCH[kind], component=component)
            yield StringCommand(deadline.within(timeout, f"sh -c {shlex.quote(script)}", _late(row, timeout)))


def _late(row: UnpackedPackage, timeout: int) -> HostError:
    return HostError(
        host.name,
        expected=f"{row.name} {row.version} to be unpacked within {timeout} seconds",
        found="it still under way, and stopped it",
        cure="look at the repository and at who locks the package manager, or raise install_timeout",
    )


def _script(text: str, row: UnpackedPackage, **words: str) -> str:
    key = f"{row.name}@{row.directory.strip('/').replace('/', '-')}"
    return text.format(
        name=shlex.quote(row.name),
        version=shlex.quote(row.version),
        directory=shlex.quote(row.directory),
        manifest=shlex.quote(f"{MANIFESTS}/{key}"),
        **words,
    )
