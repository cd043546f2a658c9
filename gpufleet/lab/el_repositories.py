"""The repositories that Enterprise Linux stand-ins install from, laid out and served as the distribution does."""

from __future__ import annotations

from pathlib import Path

from gpufleet.lab import el_packages, vendors
from gpufleet.lab.systems import SYSTEMS, System
from gpufleet.lab.vendors import rpm, tree, yum


def ensure() -> None:
    """Build the repositories of every release unless they are there, and serve them below `/el/`."""
    systems = {major(os): os for os in SYSTEMS.values() if os.family == "el"}
    declared = repr([el_packages.offered(os) for os in systems.values()])
    content = tree.digest(Path(vendors.__file__).parent, declared, vendors.fingerprint())

    def fill_all(folder: Path) -> None:
        for number, os in systems.items():
            fill(folder / number, os)

    tree.publish("el", content, fill_all)


def fill(folder: Path, os: System) -> None:
    """Write all repositories of one release."""
    for name, packages in el_packages.offered(os).items():
        built = [rpm.build(package, vendors.key()) for package in packages]
        yum.index(folder / name / "x86_64", built, vendors.key())


def major(os: System) -> str:
    """Number of the release, as it stands in addresses."""
    return os.os_release["VERSION_ID"].partition(".")[0]
