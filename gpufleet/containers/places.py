"""Leaves of a parsed file by their paths, and the lines where they stand in it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Path = tuple[str, ...]


@dataclass(frozen=True)
class Wrong:
    """Something in a file that containerd would ignore, fail at without naming it, or not serve Kubernetes with."""

    path: Path
    expected: str
    found: str
    cure: str = "correct it or take it away"


_KEY = re.compile(r"""^\s*(?P<key>("[^"]*"|'[^']*'|[A-Za-z0-9_.\s-]+?)+)\s*=""")


def leaves(tree: Mapping[str, Any], path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield everything that is no table, with its path."""
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key), value


def found(tree: Mapping[str, Any], path: Path) -> Any:
    """Return what is at a path, None where nothing is."""
    at: Any = tree
    for key in path:
        if not isinstance(at, Mapping) or key not in at:
            return None
        at = at[key]
    return at


def plugins(tree: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a file's sections of plugins, none where it gives something else under that name."""
    given = tree.get("plugins")
    return given if isinstance(given, Mapping) else {}


def line_of(text: str, path: Path) -> int:
    """Return the number of the line that gives the value at a path, or begins the table; 1 where none does."""
    table: Path = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if line.lstrip().startswith("["):
            table = _header(line)
            if table[: len(path)] == path:
                return number
        elif (match := _KEY.match(line)) and (*table, *_keys(match["key"]))[: len(path)] == path:
            return number
    return 1


def _header(line: str) -> Path:
    return _keys(line.partition("#")[0].strip().strip("[]"))


def _keys(text: str) -> Path:
    """Return the parts of a key such as `plugins."io.containerd.grpc.v1.cri".registry`."""
    try:
        at: Any = tomllib.loads(f"{text} = 0")
    except tomllib.TOMLDecodeError:  # a line within a longer text or list
        return ()
    path: Path = ()
    while isinstance(at, dict):
        key = next(iter(at))
        path, at = (*path, key), at[key]
    return path
