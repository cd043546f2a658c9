"""What a package is before it has a format: name, version, relations, scripts and files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

#: All packages, archive members and indexes carry this time: the same declaration gives the same bytes.
TIMESTAMP = 1764547200
#: A relation as declared: a name and, with spaces around the sign, a version.
RELATION = re.compile(r"(?P<name>\S+)(?: (?P<sign><=|>=|=|<|>) (?P<version>\S+))?")


@dataclass(frozen=True)
class File:
    """One file of a package; with `link` it is a symbolic link, with `config` an operator may change it.

    Only an rpm names a `folder`; of a deb's, dpkg removes what is empty.
    """

    path: str
    data: bytes = b""
    mode: int = 0o644
    link: str = ""
    config: bool = False
    folder: bool = False


class Relation(NamedTuple):
    """A name with an optional comparison: `name`, `>=`, `1:2.0-1`."""

    name: str
    sign: str = ""
    version: str = ""


@dataclass(frozen=True)
class Package:
    """A package for any family.

    `version` is complete: `[EPOCH:]VERSION-REVISION`. `architecture` is `any` (of the lab's machines) or `all`.
    Relations are written `name` or `name >= 1.2-3`; for apt, alternatives with ` | ` between them. `replaces` becomes
    Replaces of a deb and Obsoletes of an rpm. `scripts` holds shell text under preinst, postinst, prerm, postrm.
    `source` is the source package of a deb where its name is another.
    """

    name: str
    version: str
    summary: str = ""
    architecture: str = "any"
    section: str = "NVIDIA"
    source: str = ""
    depends: tuple[str, ...] = ()
    recommends: tuple[str, ...] = ()
    provides: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    files: tuple[File, ...] = ()
    scripts: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def evr(self) -> tuple[str, str, str]:
        """Epoch (or nothing), version and revision."""
        epoch, colon, rest = self.version.rpartition(":")
        version, _, revision = rest.rpartition("-")
        return (epoch if colon else "", version, revision)

    @property
    def installed_size(self) -> int:
        """Bytes of all files."""
        return sum(len(file.data) for file in self.files)


def relation(text: str) -> Relation:
    """Read one relation; raises ValueError where it is not one."""
    match = RELATION.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"not a relation: {text!r}")
    return Relation(match["name"], match["sign"] or "", match["version"] or "")
