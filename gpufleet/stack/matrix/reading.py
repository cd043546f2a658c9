"""Turn YAML into rows: every malformed row becomes a fault in words, the others become typed rows."""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from gpufleet.errors import Fault
from gpufleet.nearest import did_you_mean
from gpufleet.stack.matrix.matrix import Matrix
from gpufleet.stack.matrix.rows import Row

#: Row class of each subject.
SUBJECTS: dict[str, type[Row]] = {
    name: typing.get_args(field.annotation)[0] for name, field in Matrix.model_fields.items()
}
#: libyaml's is several times as fast, and every command reads the matrix; PyYAML may be built without it.
_FAST: type[yaml.SafeLoader] | type[yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
#: Block of a file that gives short names to sources: `name: {source: ..., date: ...}`.
SOURCES = "sources"

Rows = dict[str, list[Row]]


def read(file: Path) -> tuple[Rows, list[Fault]]:
    """Return the rows of a file by subject, and what is wrong with the others."""
    try:
        content = _parsed(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        return {}, [Fault(file.name, f"cannot be read: {error}", "give a readable YAML file")]
    except yaml.YAMLError as error:
        return {}, [Fault(file.name, f"is not YAML: {' '.join(str(error).split())}", "correct it")]
    if not isinstance(content, dict):
        return {}, [
            Fault(file.name, "holds no mapping of subjects to rows", f"begin with one of: {', '.join(SUBJECTS)}")
        ]
    return _subjects(file.name, content)


def _parsed(text: str) -> Any:
    try:
        return yaml.load(text, _FAST)  # noqa: S506 - either is a safe one
    except yaml.YAMLError:
        return yaml.safe_load(text)  # which fails with the text at fault


def _subjects(file: str, content: dict[Any, Any]) -> tuple[Rows, list[Fault]]:
    sources, faults = _sources(file, content.get(SOURCES) or {})
    rows: Rows = {}
    for subject, listed in content.items():
        if subject == SOURCES:
            continue
        if subject not in SUBJECTS:
            cure = did_you_mean(str(subject), SUBJECTS, "subjects")
            faults.append(Fault(file, f"there is no subject {subject}", cure))
        elif not isinstance(listed, list):
            faults.append(Fault(f"{file}: {subject}", "is no list of rows", "write each row after a hyphen"))
        else:
            rows[subject] = list(_rows(file, SUBJECTS[subject], listed, sources, faults))
    return rows, faults


def _sources(file: str, block: Any) -> tuple[dict[str, Mapping[str, Any]], list[Fault]]:
    """Return the file's named sources; each is a mapping of exactly `source` and `date`."""
    if not isinstance(block, dict):
        return {}, [Fault(f"{file}: {SOURCES}", "is no mapping of names to sources", "write `name: {source, date}`")]
    wrong = [name for name, entry in block.items() if not isinstance(entry, dict) or set(entry) != {"source", "date"}]
    faults = [
        Fault(f"{file}: {SOURCES} {name}", "is not of source and date", "give both and no more") for name in wrong
    ]
    return {name: entry for name, entry in block.items() if name not in wrong}, faults


def _rows(
    file: str, kind: type[Row], listed: list[Any], sources: Mapping[str, Mapping[str, Any]], faults: list[Fault]
) -> Iterator[Row]:
    for number, raw in enumerate(listed, start=1):
        if not isinstance(raw, dict):
            faults.append(Fault(f"{file}: {kind.noun} {number}", "is no mapping", "write its fields as `name: value`"))
            continue
        where = f"{file}: {_name(kind, raw, number)}"
        try:
            yield kind.model_validate(_with_source(raw, sources)).standing_in(file)
        except ValidationError as error:
            faults += [_fault(where, kind, details) for details in error.errors()]


def _with_source(raw: dict[str, Any], sources: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Put text and date in the place of a source's short name; what is no name of one stays as it is."""
    named = raw.get("source")
    if not isinstance(named, str) or named not in sources:
        return raw
    return {**sources[named], **{name: value for name, value in raw.items() if name != "source"}}


def _name(kind: type[Row], raw: Mapping[str, Any], number: int) -> str:
    """Name a row that is not typed yet: by its key as written, else by its number."""
    if not all(isinstance(raw.get(name), str | int) for name in kind.key):
        return f"{kind.noun} no. {number}"
    return " ".join([kind.noun, *(str(raw[name]) for name in kind.key)])


def _fault(where: str, kind: type[Row], details: ErrorDetails) -> Fault:
    field = ".".join(str(part) for part in details["loc"])
    if details["type"] == "extra_forbidden":
        return Fault(where, f"there is no field {field}", did_you_mean(field, kind.model_fields, "fields"))
    if details["type"] == "missing":
        cures = {
            "source": "name the document and section, or the address, that states it",
            "date": "give the day that the source was published or read",
        }
        return Fault(where, f"{field} is missing", cures.get(field, f"add {field}"))
    message = details["msg"][0].lower() + details["msg"][1:]
    return Fault(where, f"{field}: {message}, found {details['input']!r}", "correct it")
