"""Rows about containerd: what each release series is, what can be installed of it, and by which packages."""

from __future__ import annotations

import datetime
from typing import ClassVar, Literal

from pydantic import Field

from gpufleet.stack.matrix.rows import Minor, Packaging, Row, SystemKey, Text, Version

#: Whose packages: the distribution's own archive, or Docker's repository, which is the vendor's.
ContainerdOrigin = Literal["distribution", "vendor"]


class Containerd(Row):
    """One release series of containerd."""

    key: ClassVar[tuple[str, ...]] = ("series",)
    noun: ClassVar[str] = "containerd"

    series: Minor
    #: Version of the configuration file that this series writes.
    config_version: int
    #: Kubernetes minor versions that the containerd project supports it with.
    kubernetes: tuple[Minor, ...]
    released: datetime.date
    end_of_life: datetime.date | None


class ContainerdRelease(Row):
    """One release that is packaged for some systems."""

    key: ClassVar[tuple[str, ...]] = ("origin", "version")
    noun: ClassVar[str] = "containerd release"

    origin: ContainerdOrigin
    version: Version
    systems: tuple[SystemKey, ...]
    #: The package's version, where it is not the release's with a revision; a `*` stands for any text.
    package: str = ""


class ContainerdPackages(Row):
    """The packages that containerd consists of, by origin and package format, and for some systems their own."""

    key: ClassVar[tuple[str, ...]] = ("origin", "packaging", "systems")
    noun: ClassVar[str] = "containerd packages"

    origin: ContainerdOrigin
    packaging: Packaging
    #: The systems that this row is for; without any, those that no other row of this origin and format names.
    systems: tuple[SystemKey, ...] = ()
    packages: tuple[Text, ...] = Field(min_length=1)
    #: The one that carries the release's version; the others have versions of their own.
    versioned: Text
    #: Packages of the other origin that must not lie beside these.
    unwanted: tuple[Text, ...] = ()
