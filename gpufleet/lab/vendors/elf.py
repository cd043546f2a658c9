"""Shared objects small enough to write by hand: a SONAME, and functions that answer one number (x86-64, ELF gABI).

The dynamic linker, ldconfig, ctypes and readelf read them like any other. Nothing in them works on a GPU.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

PAGE = 0x1000
#: Program headers: loadable, dynamic, and the mark that the stack is not executable.
LOAD, DYNAMIC, GNU_STACK = 1, 2, 0x6474E551
READ, WRITE, EXECUTE = 4, 2, 1
#: Entries of the dynamic section.
HASH, STRTAB, SYMTAB, STRSZ, SYMENT, SONAME = 4, 5, 6, 10, 11, 14
HEADER, PROGRAM = 64, 56
#: A global function.
FUNCTION = 0x12


def answers(number: int) -> bytes:
    """Machine code of `return number;`."""
    return b"\xb8" + struct.pack("<i", number) + b"\xc3"


def stores(number: int) -> bytes:
    """Machine code of `*first_argument = number; return 0;`."""
    return b"\xc7\x07" + struct.pack("<i", number) + b"\x31\xc0\xc3"


def shared_object(soname: str, functions: Mapping[str, bytes]) -> bytes:
    """A library with that SONAME that exports these functions, given as machine code."""
    names = b"\0" + b"".join(name.encode() + b"\0" for name in functions)
    strings = names + soname.encode() + b"\0"
    start = HEADER + 4 * PROGRAM
    code, symbols = text(functions, names, start)
    symtab = start + len(code)
    hashes = symtab + len(symbols)
    table = chain(len(functions) + 1)
    strtab = hashes + len(table) + -len(table) % 8
    end = strtab + len(strings)
    dynamic = end + -end % PAGE
    entries = [
        *((HASH, hashes), (STRTAB, strtab), (SYMTAB, symtab), (STRSZ, len(strings)), (SYMENT, 24)),
        *((SONAME, len(names)), (0, 0)),
    ]
    tags = b"".join(struct.pack("<QQ", *entry) for entry in entries)
    body = (heads(end, dynamic, len(tags)) + code + symbols + table).ljust(strtab, b"\0") + strings
    return body.ljust(dynamic, b"\0") + tags


def text(functions: Mapping[str, bytes], names: bytes, start: int) -> tuple[bytes, bytes]:
    """Code of all functions from an address on, and the table of their symbols."""
    code, symbols = b"", b"\0" * 24
    for name, body in functions.items():
        where = names.index(b"\0" + name.encode() + b"\0") + 1
        symbols += struct.pack("<IBBHQQ", where, FUNCTION, 0, 1, start + len(code), len(body))
        code += body + b"\x90" * (-len(body) % 16)
    return code, symbols


def chain(count: int) -> bytes:
    """Hash table of one bucket: a chain through all symbols, which is what a handful needs."""
    links = [0, *(number + 1 for number in range(1, count - 1)), *([0] if count > 1 else [])]
    return struct.pack(f"<III{count}I", 1, count, min(1, count - 1), *links)


def heads(end: int, dynamic: int, size: int) -> bytes:
    """ELF header and program headers of a file whose dynamic section follows its one readable segment."""
    head = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 3, 62, 1, 0, HEADER, 0, 0, HEADER, PROGRAM, 4, 0, 0, 0)
    segments = (
        *((LOAD, READ | EXECUTE, 0, end, PAGE), (LOAD, READ | WRITE, dynamic, size, PAGE)),
        *((DYNAMIC, READ | WRITE, dynamic, size, 8), (GNU_STACK, READ | WRITE, 0, 0, 16)),
    )
    return head + b"".join(
        struct.pack("<IIQQQQQQ", kind, flags, place, place, place, length, length, alignment)
        for kind, flags, place, length, alignment in segments
    )
