"""TOML as containerd reads it: plain values first, then tables by their whole names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Tree = dict[str, Any]

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def text(tree: Mapping[str, Any], header: str) -> str:
    """Return a tree as a file that begins with a comment."""
    return "\n".join([f"# {header}", *_lines(tree, ())]) + "\n"


def _lines(tree: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    plain = {key: value for key, value in tree.items() if not isinstance(value, Mapping)}
    if path and (plain or len(plain) == len(tree)):
        yield ""
        yield f"[{'.'.join(map(key_text, path))}]"
    for key, value in plain.items():
        yield f"{key_text(key)} = {value_text(value)}"
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _lines(value, (*path, key))


def key_text(key: str) -> str:
    """Return a key, in quotation marks where it needs them."""
    return key if _BARE.fullmatch(key) else _string(key)


def value_text(value: Any) -> str:
    """Return a text, number, truth value or list of these. Raises TypeError for anything else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, Sequence):
        return f"[{', '.join(map(value_text, value))}]"
    raise TypeError(f"no TOML for {value!r}")


def _string(value: str) -> str:
    """Escape as JSON does, which TOML shares but for the character of deletion."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
