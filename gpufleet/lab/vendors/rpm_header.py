"""Headers of rpm files: the tagged store that rpm calls a header structure (RPM file format, version 4)."""

from __future__ import annotations

import struct
from collections.abc import Sequence

#: Kinds of value.
INT16, INT32, STRING, BINARY, STRINGS, TRANSLATED = 3, 4, 6, 7, 8, 9
MAGIC = b"\x8e\xad\xe8\x01\0\0\0\0"
#: Alignment of numbers in the store.
ALIGNMENT = {INT16: 2, INT32: 4}
#: Bytes of an entry in the index.
ENTRY = 16

Value = bytes | str | int | Sequence[str] | Sequence[int]


def header(region: int, entries: Sequence[tuple[int, int, Value]]) -> bytes:
    """A header whose entries all lie in an immutable region; `entries` are (tag, kind, value)."""
    index, store = b"", b""
    for tag, kind, value in sorted(entries, key=lambda entry: entry[0]):
        count, data = encoded(kind, value)
        if count == 0:
            continue
        store += b"\0" * (-len(store) % ALIGNMENT.get(kind, 1))
        index += struct.pack(">IIII", tag, kind, len(store), count)
        store += data
    trailer = struct.pack(">IIiI", region, BINARY, -(len(index) + ENTRY), ENTRY)
    first = struct.pack(">IIII", region, BINARY, len(store), ENTRY)
    store += trailer
    return MAGIC + struct.pack(">II", len(index) // ENTRY + 1, len(store)) + first + index + store


def encoded(kind: int, value: Value) -> tuple[int, bytes]:
    """Count and bytes of a value."""
    if isinstance(value, bytes):
        return len(value), value
    if isinstance(value, str):
        return 1, value.encode() + b"\0"
    numbers = [value] if isinstance(value, int) else value
    if kind in (INT16, INT32):
        return len(numbers), struct.pack(f">{len(numbers)}{'H' if kind == INT16 else 'I'}", *numbers)
    return len(numbers), b"".join(f"{text}\0".encode() for text in numbers)
