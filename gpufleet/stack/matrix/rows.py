"""What every row of the matrix has: a natural key, and the source and date of what it states."""

from __future__ import annotations

import datetime
import re
from typing import Annotated, Any, ClassVar, Literal, Self, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, PrivateAttr, StringConstraints, model_serializer

Generation = Literal[
    "maxwell", "pascal", "volta", "turing", "ampere", "hopper", "grace_hopper", "ada", "blackwell"
]  # fmt: skip
GENERATIONS: tuple[Generation, ...] = get_args(Generation)
Flavor = Literal["open", "proprietary"]
Profile = Literal["compute", "full"]
#: Who packages a driver: NVIDIA's repositories or the distribution's archive.
Origin = Literal["nvidia", "distribution"]
Packaging = Literal["deb", "rpm"]
Arch = Literal["x86_64", "aarch64"]

#: A version of numbers and dots, such as `580.95.05`.
Version = Annotated[str, StringConstraints(pattern=r"^\d+(\.\d+)*$")]
#: A CUDA or Kubernetes version without its update: `13.0`, `1.34`.
Minor = Annotated[str, StringConstraints(pattern=r"^\d+\.\d+$")]
#: The key of an operating system, as `System.release` gives it: `ubuntu-24.04`, `debian-13`, `el-9`.
SystemKey = Annotated[str, StringConstraints(pattern=r"^(ubuntu|debian|el)-\d+(\.\d+)?$")]
DeviceId = Annotated[int, BeforeValidator(lambda text: int(text, 16) if isinstance(text, str) else text)]
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]

_RANGE = re.compile(r"^(?P<first>\d+)(?P<open>-)?(?P<last>\d+)?$")


class Branches(BaseModel):
    """Driver branches from one to another, both included; written `535-575`, `580`, or `590-` without an end."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    first: int
    last: int | None = None

    @classmethod
    def parse(cls, text: Any) -> Any:
        """Read the written form; anything else is left for pydantic to refuse."""
        match = _RANGE.match(str(text)) if isinstance(text, str | int) else None
        if match is None:
            return text
        first = int(match["first"])
        return cls(first=first, last=int(match["last"]) if match["last"] else None if match["open"] else first)

    def __contains__(self, branch: int) -> bool:
        return self.first <= branch and (self.last is None or branch <= self.last)

    def __str__(self) -> str:
        if self.last == self.first:
            return str(self.first)
        return f"{self.first}-{self.last or ''}"

    def overlaps(self, other: Branches) -> bool:
        """Tell whether one branch lies in both."""
        return other.first in self or self.first in other

    @model_serializer
    def _written(self) -> str:
        return str(self)


BranchRange = Annotated[Branches, BeforeValidator(Branches.parse)]


class Row(BaseModel):
    """One statement with its provenance."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    #: Fields that together name a row of its subject; an overlay replaces the row of the same key.
    key: ClassVar[tuple[str, ...]] = ()
    #: What messages call such a row, before its key.
    noun: ClassVar[str] = "row"

    #: Document and section, or address, that states it.
    source: Text
    #: When the source was published or, where it bears no date, read.
    date: datetime.date
    #: Whether the source itself was read for this row; where not, `note` says why.
    verified: bool = True
    note: str = ""
    #: Name of the file that the row stands in; the loader says it, the row cannot.
    _file: str = PrivateAttr("")

    def standing_in(self, file: str) -> Self:
        """Note the name of the file that the row was read from."""
        self._file = file
        return self

    @property
    def file(self) -> str:
        """Name of the file that the row stands in."""
        return self._file

    @property
    def identity(self) -> tuple[str, ...]:
        """The natural key, as text."""
        return tuple(_text(getattr(self, name)) for name in self.key)

    @property
    def row(self) -> str:
        """The row's name in messages and verdicts: `cuda 13.0`."""
        return " ".join([self.noun, *filter(None, self.identity)])

    @property
    def place(self) -> str:
        """File and name: `cuda.yaml: cuda 13.0`."""
        return f"{self.file}: {self.row}"


def _text(value: Any) -> str:
    return ",".join(str(item) for item in value) if isinstance(value, tuple) else str(value)
