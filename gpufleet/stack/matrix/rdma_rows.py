"""Rows about the host's network stack for RDMA: its releases, and the packages that each kind consists of."""

from __future__ import annotations

import datetime
from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from gpufleet.stack.matrix.rows import Packaging, Row, SystemKey, Text

OfedKind = Literal["inbox", "doca", "mlnx_ofed"]


class Ofed(Row):
    """One release of NVIDIA's network stack, or the distribution's own (`inbox`)."""

    key: ClassVar[tuple[str, ...]] = ("version",)
    noun: ClassVar[str] = "ofed"

    version: Annotated[str, StringConstraints(pattern=r"^(inbox|\d+(\.\d+)*(-[\d.]+)?)$")]
    kind: OfedKind
    systems: tuple[SystemKey, ...]
    released: datetime.date | None = None
    end_of_life: datetime.date | None = None
    #: Name of the key beside this release's packages, where it is another than the repository's row has.
    key_file: str = ""


class RdmaStack(Row):
    """The packages of one kind of network stack in one package format; a `*` in `unwanted` stands for any text."""

    key: ClassVar[tuple[str, ...]] = ("kind", "packaging")
    noun: ClassVar[str] = "rdma stack"

    kind: OfedKind
    packaging: Packaging
    packages: tuple[Text, ...] = Field(min_length=1)
    #: Packages that carry the release's version; the others have versions of their own.
    versioned: tuple[Text, ...] = ()
    #: Packages of other stacks that must not lie beside these.
    unwanted: tuple[Text, ...] = ()
    #: Modules that DKMS builds, the one first that the others are built against.
    dkms_modules: tuple[Text, ...] = ()
    #: Packages of the stack's repository that the distribution's own are preferred to.
    excluded: tuple[Text, ...] = ()
    #: What tells that repository from others to apt, also where a mirror serves several (apt_preferences(5), `Pin`).
    pins: tuple[Text, ...] = ()
