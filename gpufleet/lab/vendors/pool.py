"""apt archives of the form that distributions' have: indexes of suites below dists/, packages below pool/."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Mapping
from pathlib import Path

from gpufleet.lab.vendors import apt
from gpufleet.lab.vendors.deb import Deb
from gpufleet.lab.vendors.openpgp import Key


def index(
    folder: Path, suite: str, component: str, packages: Iterable[Deb], fields: Mapping[str, str], key: Key
) -> None:
    """Write the packages of one component of a suite, and the suite's signed indexes.

    `fields` go into the Release file, such as Origin and Codename.
    """
    built = sorted(packages, key=lambda deb: deb.filename)
    for deb in built:
        target = folder / place(deb, component) / deb.filename
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(deb.data)
    text = "\n".join(deb.stanza(place(deb, component)) for deb in built).encode()
    path = f"{component}/binary-amd64/Packages"
    apt.publish(folder / "dists" / suite, {path: text, f"{path}.gz": gzip.compress(text, 6, mtime=0)}, fields, key)


def place(deb: Deb, component: str) -> str:
    """Folder of a package: by the first letter and the name of its source package."""
    source = deb.package.source or deb.package.name
    return f"pool/{component}/{source[: 4 if source.startswith('lib') else 1]}/{source}"
