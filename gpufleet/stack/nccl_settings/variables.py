"""NCCL's variables: their types and bounds, and which of them may stay in a file that every job reads."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from gpufleet.nearest import nearest

TABLE = Path(__file__).with_name("variables.yaml")

Class = Literal["system", "workaround", "debug"]
Value = int | str

_NAME = re.compile(r"NCCL_[A-Z][A-Z0-9_]*")
#: `^` excludes, `=` means exact names; fields of an adapter are apart by colons.
_LIST = re.compile(r"\^?=?[A-Za-z0-9][A-Za-z0-9_.:-]*(,[A-Za-z0-9][A-Za-z0-9_.:-]*)*")
_PATH = re.compile(r"/[^\s]*")
#: NCCL takes a line as it is: no quotes, no comment behind it, at most 1,023 characters (src/misc/param.cc).
_TEXT = re.compile(r"[!-~]([ -~]{0,1021}[!-~])?")

_SHAPES: dict[str, tuple[re.Pattern[str], str]] = {
    "list": (_LIST, "names with commas between them, `^` or `=` in front"),
    "path": (_PATH, "an absolute path"),
    "text": (_TEXT, "one line of text"),
}


class Variable(BaseModel):
    """One variable as NVIDIA's guide describes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Class = Field(alias="class")
    type: Literal["bool", "int", "list", "path", "text", "choice"]
    min: int | None = None
    max: int | None = None
    values: tuple[Value, ...] = ()
    #: First release of NCCL that reads it; older ones ignore it.
    since: str | None = None

    def wants(self) -> str:
        """Return what the variable takes, in words."""
        if self.type == "int":
            return f"an integer{_bounds(self.min, self.max)}"
        if self.type == "choice":
            return f"one of {', '.join(map(str, self.values))}"
        return "0 or 1" if self.type == "bool" else _SHAPES[self.type][1]

    def takes(self, value: Value) -> bool:
        """Tell whether the value is one that the variable takes."""
        return _TAKES[self.type](self, value)


def _bounds(low: int | None, high: int | None) -> str:
    if low is not None and high is not None:
        return f" from {low} to {high}"
    return "" if low is None else f" of at least {low}"


def _is_int(variable: Variable, value: Value) -> bool:
    text = str(value)
    if not re.fullmatch(r"-?(\d+|0x[0-9A-Fa-f]+)", text):
        return False
    low, high, number = variable.min, variable.max, int(text, 0) if "0x" in text else int(text)
    return (low is None or number >= low) and (high is None or number <= high)


def _has_shape(variable: Variable, value: Value) -> bool:
    return bool(_SHAPES[variable.type][0].fullmatch(str(value)))


_TAKES: dict[str, Callable[[Variable, Value], bool]] = {
    "bool": lambda variable, value: str(value) in ("0", "1"),
    "int": _is_int,
    "choice": lambda variable, value: str(value) in map(str, variable.values),
    **dict.fromkeys(_SHAPES, _has_shape),
}


class Variables(BaseModel):
    """The rows of variables.yaml, checked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str
    variables: Mapping[str, Variable]

    @model_validator(mode="after")
    def check(self) -> Self:
        """Refuse rows whose bounds contradict their type."""
        for name, row in self.variables.items():
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name} is no name of a variable")
            if bool(row.values) != (row.type == "choice"):
                raise ValueError(f"{name}: values belong to the type choice, and it needs some")
            if row.type != "int" and (row.min, row.max) != (None, None):
                raise ValueError(f"{name}: bounds belong to the type int")
        return self


@cache
def table() -> Mapping[str, Variable]:
    """Load variables.yaml."""
    return Variables.model_validate(yaml.safe_load(TABLE.read_text(encoding="utf-8"))).variables


def fault(name: str, value: Value, allowed: Class) -> str | None:
    """Return why a variable cannot be set to a value as a `system` or a `workaround` setting; None where it can."""
    row = table().get(name)
    if row is None:
        close = nearest(name, table())
        return f"unknown variable {name}; {f'did you mean {close}? ' if close else ''}a newer one belongs in extra"
    if row.kind == "debug":
        return f"{name} is for one run of one job and never kept for all; set it in that job's environment"
    if row.kind != allowed:
        cure = "put it in workarounds" if row.kind == "workaround" else "put it in settings"
        return f"{name} is {_MEANING[row.kind]}; {cure}"
    if not row.takes(value):
        return f"{name}: expected {row.wants()}, found {value!r}; correct it"
    return None


def extra_fault(name: str, value: Value) -> str | None:
    """Return why a variable that is not in the table cannot be set; None where it can."""
    row = table().get(name)
    if not _NAME.fullmatch(name):
        return f"expected a name such as NCCL_NEW_OPTION, found {name!r}; correct it"
    if row is not None:
        place = {"system": "settings", "workaround": "workarounds"}.get(row.kind)
        return f"{name} is known; put it in {place}" if place else fault(name, value, "system")
    if not _TEXT.fullmatch(str(value)):
        return f"{name}: expected one line of text, found {value!r}; correct it"
    return None


_MEANING = {
    "workaround": "listed under Debugging by NVIDIA and harmful where no problem asks for it",
    "system": "a setting of the system",
}
