"""Read type annotations of options: find the models and fields in them, and write them for people."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, IPvAnyAddress
from pydantic.fields import FieldInfo

Loc = Sequence[int | str]

_NAMES = {types.NoneType: "None", IPvAnyAddress: "IP address", Path: "path"}

_LIMITS = {
    "gt": "more than {}",
    "ge": "at least {}",
    "lt": "less than {}",
    "le": "at most {}",
    "multiple_of": "a multiple of {}",
    "min_length": "length at least {}",
    "max_length": "length at most {}",
}


def models_at(annotation: Any, loc: Loc) -> Iterator[type[BaseModel]]:
    """Yield the models that pydantic may have meant by `loc`: it also names indexes, keys and members of unions."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if not loc:
            yield annotation
        elif field := annotation.model_fields.get(str(loc[0])):
            yield from models_at(field.annotation, loc[1:])
        return
    for argument in typing.get_args(annotation):
        yield from models_at(argument, loc)
        if loc:
            yield from models_at(argument, loc[1:])


def field_at(model: type[BaseModel], loc: Loc) -> FieldInfo | None:
    """Return the innermost field on the way to `loc`."""
    for end in range(len(loc), 0, -1):
        for owner in models_at(model, loc[: end - 1]):
            if field := owner.model_fields.get(str(loc[end - 1])):
                return field
    return None


def describe(annotation: Any) -> str:
    """Return an annotation as the operator would say it: `list of str`, `"open" or "proprietary"`."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return ", ".join([describe(arguments[0]), *limits(arguments[1:])])
    if origin is Literal:
        return " or ".join(_value(argument) for argument in arguments)
    if origin in {typing.Union, types.UnionType}:
        return " or ".join(describe(argument) for argument in arguments)
    if origin is dict:
        return f"dict of {describe(arguments[0])} to {describe(arguments[1])}"
    if origin is not None:
        items = [describe(argument) for argument in arguments if argument is not ...]
        return f"{origin.__name__} of {', '.join(items)}"
    return _NAMES.get(annotation) or str(getattr(annotation, "__name__", annotation))


def limits(metadata: Iterable[Any]) -> Iterator[str]:
    """Yield the limits on a number or a length in words; patterns are left to the option's own text."""
    for limit in metadata:
        if isinstance(limit, FieldInfo):
            yield from limits(limit.metadata)
        for name, text in _LIMITS.items():
            if (bound := getattr(limit, name, None)) is not None:
                yield text.format(bound)


def _value(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)
