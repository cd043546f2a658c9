"""What is to be said against a configuration before containerd runs by it, with file, line and cure.

`containerd config dump` fails for some faults without naming the file, and ends well where it ignores a plugin, a key
or a whole drop-in; so its answer is held against the files.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gpufleet.containers.merging import lost, unknown
from gpufleet.containers.places import Path, found, line_of, plugins
from gpufleet.containers.schema import MIGRATES_EACH_FILE, ROOT_FILE
from gpufleet.containers.starting import without_kubernetes, without_runtime
from gpufleet.errors import HostError

#: Why a drop-in must be whole.
REPLACES = "containerd 1.x takes all of it from the last file that has one"

_AT = re.compile(r"\(at line (?P<line>\d+), column \d+\)")


@dataclass(frozen=True)
class Trial:
    """What containerd said of its files: the root one first, then drop-ins in the order in which it reads them."""

    files: Mapping[str, str] = field(default_factory=dict)
    code: int = 0
    #: Its complaints, and its answers to `config dump` and `config default`.
    said: tuple[str, ...] = ()
    dump: str = ""
    default: str = ""


def objection(trial: Trial, host: str) -> HostError | None:
    """Return the first thing that speaks against these files, None where they do what they say.

    Without a root file containerd goes by its defaults.
    """
    if ROOT_FILE not in trial.files:
        return None
    parsed: dict[str, dict[str, Any]] = {}
    for path, content in trial.files.items():
        try:
            parsed[path] = tomllib.loads(content)
        except tomllib.TOMLDecodeError as error:
            return _syntax(f"{host}: {path}", error, content)
    for find in (_versions, _ignored, _at_start, _refused, _changed, _default_runtime):
        for wrong in find(trial, parsed, host):
            return wrong
    return None


Parsed = dict[str, dict[str, Any]]
Finder = Callable[[Trial, Parsed, str], Iterator[HostError]]


def _syntax(where: str, error: tomllib.TOMLDecodeError, content: str) -> HostError:
    match = _AT.search(str(error))
    line = match["line"] if match else str(len(content.splitlines()))
    said = _AT.sub("", str(error)).strip()
    return HostError(f"{where}:{line}", expected="TOML", found=said, cure="correct the line, or take the file away")


def _versions(trial: Trial, parsed: Parsed, host: str) -> Iterator[HostError]:
    root, *drop_ins = parsed
    schema = parsed[root].get("version")
    for path in drop_ins:
        own = parsed[path].get("version", schema)
        if schema is not None and own != schema and not _is_migrated(own, schema):
            yield HostError(
                f"{host}: {path}:{line_of(trial.files[path], ('version',))}",
                expected=f"version = {schema}, as {root} has",
                found=f"version = {own}",
                cure="write the drop-in for that version: containerd would not start, or leave settings out unsaid",
            )


def _is_migrated(own: object, schema: object) -> bool:
    """Tell whether containerd brings an older drop-in to the root's schema; before 2.3 it loses what that says."""
    return isinstance(own, int) and isinstance(schema, int) and schema >= MIGRATES_EACH_FILE and 2 <= own < schema


def _ignored(trial: Trial, parsed: Parsed, host: str) -> Iterator[HostError]:
    for path, tree in parsed.items():
        for wrong in unknown(tree, _tree(trial.default)):
            yield HostError(
                f"{host}: {path}:{line_of(trial.files[path], wrong.path)}",
                expected=wrong.expected,
                found=wrong.found,
                cure=wrong.cure,
            )


def _at_start(trial: Trial, parsed: Parsed, host: str) -> Iterator[HostError]:
    for path, tree in parsed.items():
        for wrong in without_kubernetes(tree):
            where = f"{host}: {path}:{line_of(trial.files[path], wrong.path)}"
            yield HostError(where, expected=wrong.expected, found=wrong.found, cure=wrong.cure)


def _refused(trial: Trial, parsed: Parsed, host: str) -> Iterator[HostError]:
    if trial.code:
        said = re.sub(r"^containerd: ", "", trial.said[-1]) if trial.said else f"status {trial.code}"
        yield HostError(
            f"{host}: {', '.join(parsed)}",
            expected="files that `containerd config dump` reads",
            found=said,
            cure="correct what it names; the configuration of before stays in force",
        )


def _changed(trial: Trial, parsed: Parsed, host: str) -> Iterator[HostError]:
    order = list(parsed)
    for path, key in lost(parsed, _tree(trial.dump)):
        later = [other for other in order[order.index(path) + 1 :] if _has_plugin(parsed[other], key)]
        if later:
            there, cure = f"{later[-1]} in its place", f"repeat the plugin's section there: {REPLACES}"
        else:
            there, cure = "a key that containerd ignores", "correct its name or its table"
        where = f"{host}: {path}:{line_of(trial.files[path], key)}"
        yield HostError(where, expected=f"{'.'.join(key)} in force", found=there, cure=cure)


def _default_runtime(trial: Trial, parsed: Parsed, host: str) -> Iterator[HostError]:
    if wrong := without_runtime(_tree(trial.dump)):
        path = next((name for name in reversed(parsed) if found(parsed[name], wrong.path) is not None), ROOT_FILE)
        where = f"{host}: {path}:{line_of(trial.files[path], wrong.path)}"
        yield HostError(where, expected=wrong.expected, found=wrong.found, cure=wrong.cure)


def _has_plugin(tree: Mapping[str, Any], key: Path) -> bool:
    return key[0] == "plugins" and len(key) > 1 and key[1] in plugins(tree)


def _tree(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return {}
