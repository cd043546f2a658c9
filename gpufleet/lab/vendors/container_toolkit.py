"""The repository of NVIDIA's container toolkit, one for each package format, in the layout of nvidia.github.io."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gpufleet.lab import vendors
from gpufleet.lab.vendors import apt, deb, declared, releases, rpm, yum
from gpufleet.lab.vendors.package import Package

#: Where packages are below the archive's `libnvidia-container`, and the key above them.
DEB, RPM, KEY = "stable/deb/amd64", "stable/rpm/x86_64", "gpgkey"
#: What a Release file of such a repository says of itself was not read.
ORIGIN, LABEL = "https://nvidia.github.io/libnvidia-container", "libnvidia-container"


def fill(folder: Path) -> None:
    """Write both repositories below a folder."""
    key = vendors.key()
    apt.index(folder / DEB, (deb.build(package) for package in packages(declared.APT)), key, ORIGIN, LABEL)
    yum.index(folder / RPM, [rpm.build(package, key) for package in packages(declared.DNF)], key)
    (folder / KEY).write_bytes(key.armored())


def packages(common: releases.Words) -> Iterator[Package]:
    """Every package of every release, with what the family calls things by."""
    listed = releases.read("container-toolkit")
    for words in releases.words(listed["each"], ""):
        for entry in listed["packages"]:
            if entry.get("refresh", bool(words["units"])) == bool(words["units"]):
                yield declared.package(entry, {**common, **words}, listed["version"])
