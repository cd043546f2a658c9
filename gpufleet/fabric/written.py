"""`fabric.yaml` as it is written: the names a plan may hold, and the types of their values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from gpufleet.errors import Fault
from gpufleet.fabric.ports import HIGHEST_PORT
from gpufleet.nearest import did_you_mean

Guid = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{1,16}$")]
Speed = Literal["SDR", "DDR", "QDR", "FDR10", "FDR", "EDR", "HDR", "NDR", "XDR"]
Width = Literal["1x", "2x", "4x", "8x", "12x"]


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SwitchRow(_Row):
    """A switch: what it is for, and for a leaf the rail it serves."""

    role: Literal["leaf", "spine", "core"]
    rail: int | None = Field(None, ge=1)
    guid: Guid | None = None
    ports: int | None = Field(None, ge=1, le=HIGHEST_PORT)


class DeviceRow(_Row):
    """An RDMA device of a host, by the name that it has there."""

    rail: int | None = Field(None, ge=1)
    guid: Guid | None = None


class LinkRow(_Row):
    """A link that is unlike the usual one."""

    speed: Speed | None = None
    width: Width | None = None


class Written(_Row):
    """The whole file."""

    speed: Speed
    width: Width = "4x"
    switches: dict[str, SwitchRow]
    hosts: dict[str, dict[str, DeviceRow]]
    links: dict[str, dict[int, str]]
    overrides: dict[str, LinkRow] = {}
    thresholds: dict[str, Annotated[int, Field(ge=0)]] = {}


_ROWS: Mapping[str, Iterable[str]] = {
    "switches": SwitchRow.model_fields,
    "hosts": DeviceRow.model_fields,
    "overrides": LinkRow.model_fields,
}


def validated(data: dict[str, Any]) -> tuple[Written | None, list[Fault]]:
    """Return the file's rows, or every fault in their names and types."""
    try:
        return Written.model_validate({key: {} if value is None else value for key, value in data.items()}), []
    except ValidationError as error:
        return None, [_fault(detail) for detail in error.errors(include_url=False)]


def _fault(detail: ErrorDetails) -> Fault:
    """Say one of pydantic's errors in our own sentence."""
    path = [str(part) for part in detail["loc"] if part != "[key]"]
    where, found = ".".join(path), repr(detail["input"])
    match detail["type"]:
        case "extra_forbidden":
            names = Written.model_fields if len(path) == 1 else _ROWS[path[0]]
            return Fault(where, "unknown key", did_you_mean(path[-1], names, "keys"))
        case "missing":
            return Fault(where, "expected a value, found none", "see docs/fabric.md")
        case "literal_error":
            return Fault(
                where, f"expected {detail['ctx']['expected'].replace(chr(39), '')}, found {found}", "choose one"
            )
        case "string_pattern_mismatch":
            return Fault(where, f"expected a GUID such as 0x506b4b0300a1b2c3, found {found}", "correct it")
    return Fault(where, f"{_lowered(detail['msg'])}, found {found}", "correct it")


def _lowered(text: str) -> str:
    plain = text.replace("Input should be", "expected")
    return plain[:1].lower() + plain[1:]
