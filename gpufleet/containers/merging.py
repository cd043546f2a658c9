"""What containerd made of files: plugins and keys that it does not know, and settings that it has not in force."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gpufleet.containers.places import Path, Wrong, found, leaves, plugins

#: What files say of themselves, and what is added up rather than replaced.
_OF_THE_FILE = ("version", "imports")
_KINDS = {bool: "true or false", int: "a number", str: "a text", list: "a list"}


def unknown(tree: Mapping[str, Any], default: Mapping[str, Any]) -> Iterator[Wrong]:
    """Yield plugins that `containerd config default` does not know, and values of another kind than its own."""
    if not default:
        return
    for name in plugins(tree):
        if name not in plugins(default):
            yield Wrong(("plugins", name), "a plugin of this containerd", f"{name}, which it would ignore")
    for path, value in leaves(tree):
        usual = found(default, path)
        if usual is not None and type(usual) in _KINDS and type(usual) is not type(value):
            kind = _KINDS.get(type(value), type(value).__name__)
            yield Wrong(path, f"{_KINDS[type(usual)]} for {'.'.join(path)}", kind)


def lost(parsed: Mapping[str, Mapping[str, Any]], dump: Mapping[str, Any]) -> Iterator[tuple[str, Path]]:
    """Yield settings by file that are not in force though no later file gives them, and keys that nothing knows.

    Of the root file values count; of drop-ins, whose authors may write a length of time in another way, the keys alone.
    A drop-in of an older schema is not looked at: its keys have other names in the dump.
    """
    if not dump:
        return
    root, *_ = parsed
    schema = parsed[root].get("version")
    for path, tree in parsed.items():
        later = list(parsed)[list(parsed).index(path) + 1 :]
        if tree.get("version", schema) != schema:
            continue
        for key, value in leaves(tree):
            if key[0] in _OF_THE_FILE or any(found(parsed[other], key) is not None for other in later):
                continue
            there = found(dump, key)
            if there is None or (path == root and not _same(value, there)):
                yield path, key


def _same(value: Any, there: Any) -> bool:
    if isinstance(value, list) and isinstance(there, list):
        return all(item in there for item in value)
    return bool(value == there)
