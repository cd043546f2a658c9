"""containerd.io in the layout of download.docker.com: a package for each release of containerd and suite."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from gpufleet.lab import vendors
from gpufleet.lab.containerd import build
from gpufleet.lab.containerd.programs import Programs
from gpufleet.lab.vendors import apt, deb, declared, releases, tree
from gpufleet.lab.vendors.deb import Deb
from gpufleet.lab.vendors.package import File, Package
from gpufleet.lab.vendors.releases import Words

#: Folders of a suite's indexes and packages below the distribution's, and the key beside `dists`.
INDEX, POOL, KEY = "stable/binary-amd64", "pool/stable/amd64", "gpg"
#: The programs are large: little effort makes them a third as large.
EFFORT = 1


def suites() -> list[Words]:
    """Every suite served: its distribution's folder, its name, the Debian below it and how its versions end."""
    return [{key: str(value) for key, value in row.items()} for row in releases.read("docker")["suites"]]


def systems() -> list[str]:
    """Systems whose runc the packages need."""
    return sorted({row["system"] for row in suites()})


def ensure(programs: Sequence[Programs], runc: Mapping[str, bytes]) -> Path:
    """Build the repositories unless they are built; `runc` is the one of each system. Returns the folder served."""
    parts = [one.path(name).read_bytes() for one in programs for name in build.NAMES]
    digests = [hashlib.sha256(part).hexdigest() for part in (*parts, *(runc[name] for name in systems()))]
    versions = [one.version for one in programs]
    content = tree.digest(Path(vendors.__file__).parent, *versions, vendors.fingerprint(), *digests)
    return tree.publish("docker", content, lambda folder: fill(folder, programs, runc))


def fill(folder: Path, programs: Sequence[Programs], runc: Mapping[str, bytes]) -> None:
    """Write the repositories below a folder."""
    key = vendors.key()
    for row in suites():
        place = folder / "linux" / row["place"]
        built = [deb.build(package, EFFORT) for package in packages(row, programs, runc[row["system"]])]
        apt.publish(place / "dists" / row["suite"], index(place, row["suite"], built), fields(row["suite"]), key)
        (place / KEY).write_bytes(key.armored())


def index(place: Path, suite: str, built: Sequence[Deb]) -> dict[str, bytes]:
    """Write a suite's packages, which lie below its own folder; returns its lists of them."""
    pool = f"dists/{suite}/{POOL}"
    (place / pool).mkdir(parents=True, exist_ok=True)
    for one in built:
        (place / pool / one.filename).write_bytes(one.data)
    text = "\n".join(one.stanza(pool) for one in built).encode()
    return {f"{INDEX}/Packages": text, f"{INDEX}/Packages.gz": gzip.compress(text, 6, mtime=0)}


def fields(suite: str) -> dict[str, str]:
    """What the Release file of a suite says of it."""
    return {
        **{"Origin": "Docker", "Label": "Docker CE", "Suite": suite, "Codename": suite},
        **{"Architectures": "amd64", "Components": "stable"},
    }


def packages(row: Words, programs: Sequence[Programs], runc: bytes) -> Iterator[Package]:
    """The packages of one suite."""
    for one in programs:
        binaries = {name: one.path(name).read_bytes() for name in build.NAMES} | {"runc": runc}
        files = tuple(File(f"/usr/bin/{name}", data, 0o755) for name, data in binaries.items())
        words = {"containerd": one.version, "ends": row["ends"], "section": "devel"}
        for package in declared.of_release(releases.read("docker"), words):
            yield dataclasses.replace(package, files=(*package.files, *files))
