"""NVIDIA's repositories, built whole from their declarations."""

from __future__ import annotations

from pathlib import Path

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
            dnf(name, place, key, with_streams=how.get("streams", False))
        else:
            apt.index(place, (deb.build(package) for package in declared.packages(name)), key)
            (place / vendors.APT_KEY).write_bytes(key.armored())


def dnf(name: str, place: Path, key: Key, *, with_streams: bool) -> None:
    """Write one dnf repository with its repo file and key."""
    built = [rpm.build(package, key) for package in declared.packages(name)]
    yum.index(place, built, key, streams.document(built) if with_streams else "")
    (place / vendors.DNF_KEY).write_bytes(key.armored())
    text = REPO_FILE.format(name=name, base=declared.BASE, key=vendors.DNF_KEY)
    (place / f"cuda-{name}.repo").write_text(text)
