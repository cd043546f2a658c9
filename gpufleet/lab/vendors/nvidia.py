"""NVIDIA's repositories, built whole from their declarations."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gpufleet.lab import vendors
from gpufleet.lab.vendors import apt, deb, declared, releases, rpm, streams, yum
from gpufleet.lab.vendors.openpgp import Key

REPO_FILE = """[cuda-{name}-x86_64]
name=cuda-{name}-x86_64
baseurl={base}/{name}/x86_64
enabled=1
gpgcheck=1
gpgkey={base}/{name}/x86_64/{key}
"""


def fill(folder: Path) -> None:
    """Write all repositories below a folder, in NVIDIA's layout."""
    key = vendors.key()
    for name, how in releases.read("repositories").items():
        place = folder / declared.PLACE / name / "x86_64"
        if how["family"] == "rhel":
            dnf(name, place, key, how)
        else:
            apt.index(place, (deb.build(package) for package in declared.packages(name)), key)
        (place / how["key"]).write_bytes(key.armored())


def dnf(name: str, place: Path, key: Key, how: Mapping[str, Any]) -> None:
    """Write one dnf repository with its repo file."""
    built = [rpm.build(package, key) for package in declared.packages(name)]
    yum.index(place, built, key, streams.document(built) if how.get("streams") else "")
    text = REPO_FILE.format(name=name, base=declared.BASE, key=how["key"])
    (place / f"cuda-{name}.repo").write_text(text)
