"""Ubuntu's own archive as far as NVIDIA's driver is in it: the component `restricted`, packages made by Canonical."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gpufleet.lab import vendors
from gpufleet.lab.vendors import deb, declared, pool, releases
from gpufleet.lab.vendors.package import Package

#: Ubuntu's releases by their codenames.
RELEASES = {"jammy": "22.04", "noble": "24.04"}
#: Pockets of a release. The first, of the day of the release, is empty: its branches are older than the lab's.
POCKETS = ("", "updates", "security")
COMPONENT = "restricted"
LISTS = ("canonical-driver", "canonical-ended")


def fill(folder: Path) -> None:
    """Write the archive below a folder, in Ubuntu's layout."""
    for codename in RELEASES:
        for pocket, suite in zip(POCKETS, suites(codename), strict=True):
            built = [deb.build(package) for package in packages(codename, pocket)]
            pool.index(folder, suite, COMPONENT, built, fields(codename, suite), vendors.key())


def suites(codename: str) -> list[str]:
    """Names of a release's pockets in apt's sources, such as `noble` and `noble-updates`."""
    return [f"{codename}-{pocket}".rstrip("-") for pocket in POCKETS]


def packages(codename: str, pocket: str) -> list[Package]:
    """Every package of one pocket."""
    words = {**declared.APT, "release": RELEASES[codename]}
    return [package for name in LISTS for package in listed(name, pocket, words)]


def listed(name: str, pocket: str, common: releases.Words) -> Iterator[Package]:
    """The packages of one list that a pocket carries."""
    content = releases.read(name)
    for words in releases.words(content["each"], "ubuntu"):
        if words["pocket"] == pocket:
            yield from declared.of_release(content, {**common, **words})


def fields(codename: str, suite: str) -> dict[str, str]:
    """What the Release file of a pocket says of it."""
    return {
        **{"Origin": "Ubuntu", "Label": "Ubuntu", "Suite": suite, "Version": RELEASES[codename]},
        **{"Codename": codename, "Architectures": "amd64", "Components": COMPONENT},
        "Description": f"Ubuntu {suite.replace('-', ' ').title()}",
    }
