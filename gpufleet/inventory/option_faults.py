"""Faults of role options: one line per option with what was expected, what was found, and the cure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from gpufleet.errors import Fault
from gpufleet.inventory.hosts import InventoryHost, Opaque
from gpufleet.inventory.keys import KEYS, PAGES
from gpufleet.inventory.option_types import Loc, describe, field_at, models_at
from gpufleet.nearest import did_you_mean, nearest
from gpufleet.options import RoleOptions

Roles = Mapping[str, type[RoleOptions]]

#: Kinds of pydantic errors that are about a type, and what the operator should have written.
_TYPES = {
    "string_type": "str",
    "bool_type": "bool",
    "bool_parsing": "bool",
    "int_type": "int",
    "int_parsing": "int",
    "int_from_float": "int",
    "float_type": "float",
    "float_parsing": "float",
    "list_type": "list",
    "tuple_type": "tuple",
    "set_type": "set",
    "dict_type": "dict",
    "model_type": "dict of options",
    "none_required": "None",
}

_LONGEST_VALUE = 60

#: Fields whose value is never shown, whatever their type.
_SECRET_WORDS = ("password", "secret", "token")


def find(host: InventoryHost, roles: Roles) -> list[Fault]:
    """Return the faults in the options of every role, and in the keys of no role, that the host's data hold."""
    known = {**roles, **KEYS}
    return [
        fault for name, role in known.items() if name in host.data for fault in _of_role(host, role, host.data[name])
    ]


def _of_role(host: InventoryHost, role: type[RoleOptions], given: Any) -> list[Fault]:
    try:
        options = role.model_validate(given)
    except ValidationError as error:
        return [replace(fault, host=host.name) for fault in _from_errors(role, given, error.errors())]
    return [replace(fault, host=host.name) for fault in options.faults(host)]


def _from_errors(role: type[RoleOptions], given: Any, errors: Iterable[ErrorDetails]) -> list[Fault]:
    """Gather pydantic's errors by option: for a union it reports each member that did not fit."""
    by_path: dict[Loc, list[ErrorDetails]] = defaultdict(list)
    for error in errors:
        by_path[_path(given, error)].append(error)
    return [_fault(role, path, together) for path, together in by_path.items()]


def _path(given: Any, error: ErrorDetails) -> tuple[int | str, ...]:
    """Keep those parts of pydantic's location that are in the data: it also names members of unions, and `[key]`."""
    path: list[int | str] = []
    for part in error["loc"]:
        if _holds(given, part):
            given = given[part]
            path.append(part)
    return (*path, error["loc"][-1]) if error["type"] == "missing" else tuple(path)


def _holds(given: Any, part: int | str) -> bool:
    if isinstance(given, Mapping):
        return part in given
    return isinstance(given, list | tuple) and isinstance(part, int) and part < len(given)


def _fault(role: type[RoleOptions], path: Loc, errors: Sequence[ErrorDetails]) -> Fault:
    where, first = role.key + "".join(_written(part) for part in path), errors[0]
    field = field_at(role, path)
    match first["type"]:
        case "extra_forbidden":
            known = {name for model in models_at(role, first["loc"][:-1]) for name in model.model_fields}
            return Fault(where, "unknown option", did_you_mean(str(path[-1]), known, "options"))
        case "missing":
            kind = describe(field.annotation) if field else "a value"
            text = f": {field.description.rstrip('.')}" if field and field.description else ""
            return Fault(where, "required option missing", f"add it, a {kind}{text}")
        case "value_error" | "assertion_error":
            problem, _, cure = str(first["ctx"]["error"]).rpartition("; ")
            return Fault(where, problem, cure) if problem else Fault(where, cure, _see(role))
    expected = " or ".join(dict.fromkeys(_expected(error) for error in errors))
    return Fault(where, f"expected {expected}, found {_found(where, field, first['input'])}", _cure(role, errors))


def _written(part: int | str) -> str:
    return f".{part}" if str(part).isidentifier() else f"[{part!r}]"


def _expected(error: ErrorDetails) -> str:
    if error["type"] in {"literal_error", "enum"}:
        return str(error["ctx"]["expected"])
    return _TYPES.get(error["type"]) or error["msg"].removeprefix("Input should be ")


def _found(where: str, field: Any, value: Any) -> str:
    """Return the value and its type; the type alone of a secret, and of what may contain one."""
    if isinstance(value, Opaque):
        return f"a {value.type_name}"
    kind = type(value).__name__
    if isinstance(value, dict | list | tuple | set):
        return f"a {kind}"
    if "Secret" in str(field and field.annotation) or any(word in where.lower() for word in _SECRET_WORDS):
        return f"a secret ({kind})"
    text = repr(value)
    return f"{text[:_LONGEST_VALUE]}{'...' if len(text) > _LONGEST_VALUE else ''} ({kind})"


def _cure(role: type[RoleOptions], errors: Sequence[ErrorDetails]) -> str:
    """For one of a few words the nearest of them, else the page with all options."""
    found = errors[0]["input"]
    words = [word.strip("'") for error in errors for word in _expected(error).replace(" or ", ", ").split(", ")]
    if errors[0]["type"] == "literal_error" and isinstance(found, str) and (close := nearest(found, words)):
        return f"did you mean {close!r}?"
    return _see(role)


def _see(role: type[RoleOptions]) -> str:
    return f"{PAGES.get(role) or f'roles/{role.key}/README.md'} lists the options"
