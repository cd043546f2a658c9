"""apt repositories of the flat form that NVIDIA's have: `deb URL /`, all files in one directory."""

from __future__ import annotations

import email.utils
import gzip
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from gpufleet.lab.vendors.deb import Deb
from gpufleet.lab.vendors.openpgp import Key, armor
from gpufleet.lab.vendors.package import TIMESTAMP

#: What NVIDIA's Release files say of themselves, which their preferences file pins by.
ORIGIN, LABEL = "NVIDIA", "NVIDIA CUDA"


def index(folder: Path, packages: Iterable[Deb], key: Key, origin: str = ORIGIN, label: str = LABEL) -> None:
    """Write packages and a signed index into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    built = sorted(packages, key=lambda deb: deb.filename)
    for deb in built:
        (folder / deb.filename).write_bytes(deb.data)
    text = "\n".join(deb.stanza() for deb in built).encode()
    listed = {"Packages": text, "Packages.gz": gzip.compress(text, 6, mtime=0)}
    publish(folder, listed, {"Origin": origin, "Label": label, "Architectures": "amd64"}, key)


def publish(folder: Path, listed: Mapping[str, bytes], fields: Mapping[str, str], key: Key) -> None:
    """Write index files, by their paths in the folder, and the signed Release file that vouches for them."""
    for name, data in listed.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    release = describe(listed, fields)
    (folder / "Release").write_text(release)
    (folder / "Release.gpg").write_bytes(armor("SIGNATURE", key.sign(release.encode())))
    (folder / "InRelease").write_bytes(key.clearsign(release))


def describe(listed: Mapping[str, bytes], fields: Mapping[str, str]) -> str:
    """Text of the Release file."""
    dated = {**fields, "Date": email.utils.formatdate(TIMESTAMP, usegmt=True)}
    head = "".join(f"{name}: {value}\n" for name, value in dated.items())
    sums = "".join(f" {hashlib.sha256(data).hexdigest()} {len(data)} {name}\n" for name, data in listed.items())
    return f"{head}SHA256:\n{sums}"
