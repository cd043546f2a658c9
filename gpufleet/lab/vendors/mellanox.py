"""DOCA-OFED's repositories, one for each release and system, in the layout of linux.mellanox.com."""

from __future__ import annotations

from pathlib import Path

from gpufleet.lab import vendors
from gpufleet.lab.vendors import apt, deb, declared, releases, rpm, yum
from gpufleet.lab.vendors.openpgp import Key
from gpufleet.lab.vendors.package import Package

#: Where the repositories are below the archive's address.
PLACE = "public/repo/doca"
#: What azhpc-images pins by, for the repository that doca-host unpacks; NVIDIA's Release file online was not read.
ORIGIN, LABEL = "NVIDIA", "DOCA-HOST"


def fill(folder: Path) -> None:
    """Write all repositories below a folder."""
    key = vendors.key()
    for system in releases.read("doca-repositories"):
        for words in offered(system):
            place = folder / PLACE / words["doca"] / system / "x86_64"
            write(place, system, words, key)
            binary = words["docakey"].endswith(".gpg")
            (place / words["docakey"]).write_bytes(key.public() if binary else key.armored())


def write(place: Path, system: str, words: releases.Words, key: Key) -> None:
    """Write one repository."""
    if family(system) == "rhel":
        yum.index(place, [rpm.build(package, key) for package in packages(system, words)], key)
    else:
        apt.index(place, (deb.build(package) for package in packages(system, words)), key, ORIGIN, LABEL)


def offered(system: str) -> list[releases.Words]:
    """The words of every release that is made for a system."""
    carried = releases.read("doca-repositories")[system]["releases"]
    return [words for words in releases.words("doca", family(system)) if words["doca"] in carried]


def packages(system: str, words: releases.Words) -> list[Package]:
    """Every package of one repository."""
    how = releases.read("doca-repositories")[system]
    common = {**(declared.DNF if how["family"] == "rhel" else declared.APT), "dist": how.get("dist", "")}
    lists = [releases.read(name) for name in how["lists"]]
    return [package for one in lists for package in declared.of_release(one, {**common, **words})]


def family(system: str) -> str:
    """Family of a system: `ubuntu`, `debian` or `rhel`."""
    return str(releases.read("doca-repositories")[system]["family"])
