"""Debian packages, written without dpkg: an ar archive of two tar files."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

from gpufleet.lab.vendors.package import TIMESTAMP, File, Package, relation

SIGNS = {"<": "<<", ">": ">>"}
ARCHITECTURES = {"any": "amd64", "all": "all"}
FIELDS = (
    *(("Depends", "depends"), ("Recommends", "recommends"), ("Provides", "provides")),
    *(("Conflicts", "conflicts"), ("Replaces", "replaces")),
)


@dataclass(frozen=True)
class Deb:
    """A built package with what an index says of it."""

    package: Package
    data: bytes

    @cached_property
    def filename(self) -> str:
        """File name: without the epoch, as dpkg names files."""
        _, version, revision = self.package.evr
        return f"{self.package.name}_{version}-{revision}_{ARCHITECTURES[self.package.architecture]}.deb"

    def stanza(self, folder: str = ".") -> str:
        """The package's entry in Packages; the folder is where it lies below the repository's address."""
        digests = "".join(
            f"{name}: {hashlib.new(kind, self.data, usedforsecurity=False).hexdigest()}\n"
            for name, kind in (("MD5sum", "md5"), ("SHA1", "sha1"), ("SHA256", "sha256"))
        )
        first, rest = control(self.package).split("Description:", 1)
        return f"{first}Filename: {folder}/{self.filename}\nSize: {len(self.data)}\n{digests}Description:{rest}"


def build(package: Package, effort: int = 6) -> Deb:
    """Build a package; equal declarations give equal bytes. `effort` is gzip's, 1 to 9."""
    members = [
        ("debian-binary", b"2.0\n"),
        ("control.tar.gz", archive(administration(package))),
        ("data.tar.gz", archive(package.files, effort)),
    ]
    body = b"".join(
        f"{name:<16}{TIMESTAMP:<12}{0:<6}{0:<6}{'100644':<8}{len(data):<10}`\n".encode()
        + data
        + b"\n" * (len(data) % 2)
        for name, data in members
    )
    return Deb(package, b"!<arch>\n" + body)


def administration(package: Package) -> list[File]:
    """Files of the control archive."""
    sums = "".join(
        f"{hashlib.md5(file.data, usedforsecurity=False).hexdigest()}  {file.path.lstrip('/')}\n"
        for file in package.files
        if not file.link and not file.config
    )
    conffiles = "".join(f"{file.path}\n" for file in package.files if file.config)
    return [
        File("/control", control(package).encode()),
        File("/md5sums", sums.encode()),
        *([File("/conffiles", conffiles.encode())] if conffiles else []),
        *(File(f"/{name}", f"#!/bin/sh\nset -e\n{text}".encode(), 0o755) for name, text in package.scripts.items()),
    ]


def control(package: Package) -> str:
    """The control file."""
    lines = [
        f"Package: {package.name}",
        *([f"Source: {package.source}"] if package.source else []),
        f"Version: {package.version}",
        f"Architecture: {ARCHITECTURES[package.architecture]}",
        "Maintainer: gpufleet lab <lab@gpufleet.invalid>",
        f"Installed-Size: {max(1, package.installed_size // 1024)}",
        f"Section: {package.section}",
        "Priority: optional",
    ]
    for title, name in FIELDS:
        if relations := getattr(package, name):
            lines.append(f"{title}: {', '.join(alternatives(text) for text in relations)}")
    summary = package.summary or package.name
    return "\n".join([*lines, f"Description: {summary}", " Stand-in of the gpufleet lab.", ""])


def alternatives(text: str) -> str:
    """A relation in Debian's notation: `a (>= 1) | b`."""
    return " | ".join(notation(one) for one in text.split(" | "))


def notation(text: str) -> str:
    """One alternative in Debian's notation."""
    name, sign, version = relation(text)
    return f"{name} ({SIGNS.get(sign, sign)} {version})" if sign else name


def archive(files: Iterable[File], effort: int = 6) -> bytes:
    """A compressed tar file with the directories above every file."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        listed = sorted(files, key=lambda file: file.path)
        parents = {str(parent) for file in listed for parent in PurePosixPath(file.path).parents}
        for parent in sorted(parents):
            tar.addfile(entry(f".{parent.rstrip('/')}/", tarfile.DIRTYPE, 0o755))
        for file in listed:
            info = entry(f".{file.path}", tarfile.SYMTYPE if file.link else tarfile.REGTYPE, file.mode)
            info.linkname, info.size = file.link, len(file.data)
            tar.addfile(info, io.BytesIO(file.data))
    return gzip.compress(buffer.getvalue(), effort, mtime=0)


def entry(name: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    """A tar entry that root owns."""
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.mtime, info.uname, info.gname = kind, mode, TIMESTAMP, "root", "root"
    return info
