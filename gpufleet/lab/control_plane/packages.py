"""Kubernetes' packages in the layout of pkgs.k8s.io: a repository for each minor, with the programs that a lab has."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from gpufleet.lab import vendors
from gpufleet.lab.control_plane import beside
from gpufleet.lab.control_plane.build import ON_NODES
from gpufleet.lab.control_plane.programs import Programs
from gpufleet.lab.vendors import apt, deb, declared, releases, tree
from gpufleet.lab.vendors.package import File, Package

#: Folder of a minor's packages below the archive's `/kubernetes/`, its key, and what its Release file says of itself:
#: the repositories are made by the openSUSE Build Service, in a project of that name.
PLACE, KEY = "core:/stable:/v{minor}/deb", "Release.key"
ORIGIN = "obs://build.opensuse.org/isv:kubernetes:core:stable:v{minor}/deb"
LABEL = "isv:kubernetes:core:stable:v{minor}"
#: The programs are large: little effort makes them a third as large.
EFFORT = 1


def ensure(programs: Sequence[Programs]) -> Path:
    """Build the repositories of the programs' minors unless they are built; returns the folder served."""
    binaries = {one.path(name).resolve() for one in programs for name in ON_NODES}
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(binaries)]
    versions = [one.version for one in programs]
    content = tree.digest(Path(vendors.__file__).parent, *versions, vendors.fingerprint(), *digests)
    return tree.publish("kubernetes", content, lambda folder: fill(folder, programs))


def fill(folder: Path, programs: Sequence[Programs]) -> None:
    """Write the repositories below a folder."""
    for one in programs:
        write(folder, one.minor, packages(one))


def write(folder: Path, minor: str, listed: Iterable[Package]) -> None:
    """Write the repository of a minor below a folder."""
    key, place = vendors.key(), folder / PLACE.format(minor=minor)
    built = (deb.build(package, EFFORT) for package in listed)
    apt.index(place, built, key, ORIGIN.format(minor=minor), LABEL.format(minor=minor))
    (place / KEY).write_bytes(key.armored())


def packages(programs: Programs) -> list[Package]:
    """Every package: those of the maker's names, and the lab's own with the programs."""
    folder = f"/usr/lib/gpufleet-lab-kubernetes/{programs.version}"
    name = f"gpufleet-lab-kubernetes-{programs.version}"
    named = list(of_release(programs.version, name, folder))
    own = Package(name, f"{programs.version}-1.1", "Programs of Kubernetes.", section="admin")
    return [*named, dataclasses.replace(own, files=tuple(files(programs, folder)))]


def of_release(version: str, programs: str, folder: str) -> Iterator[Package]:
    """The packages of the maker's names, which depend on the package of the programs and link into its folder."""
    words = {"kubernetes": version, "programs": programs, "folder": folder, "section": "admin"}
    yield from declared.of_release(releases.read("kubernetes"), {**words, **beside.versions(version)})


def files(programs: Programs, folder: str) -> list[File]:
    """The programs as files, and as links where one binary is several of them."""
    found: dict[Path, str] = {}
    listed = []
    for name in ON_NODES:
        real = programs.path(name).resolve()
        if real in found:
            listed.append(File(f"{folder}/{name}", link=found[real]))
        else:
            found[real] = name
            listed.append(File(f"{folder}/{name}", real.read_bytes(), 0o755))
    return listed
