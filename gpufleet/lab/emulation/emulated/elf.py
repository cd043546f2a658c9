"""What a kernel module file says of itself: its .modinfo section, and the marks of NVIDIA's build."""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import BinaryIO, NamedTuple

_BANNER = re.compile(rb"NVIDIA UNIX [ -~]*Kernel Module[ -~]*\d{3}\.\d+[ -~]*")
_COMPILER = re.compile(rb"GCC: (\([ -~]+?\)) ([0-9.]+)\0")


class ModuleFile(NamedTuple):
    """The fields of .modinfo, each with all its values."""

    fields: dict[str, list[str]]
    size: int
    banner: str
    compiler: str

    def first(self, key: str) -> str:
        """First value of a field, or nothing."""
        return self.fields.get(key, [""])[0]

    @property
    def name(self) -> str:
        """Name the kernel knows the module by, whatever its file is called."""
        return self.first("name").replace("-", "_")

    @property
    def depends(self) -> list[str]:
        """Modules that must be loaded before this one."""
        return [name.replace("-", "_") for name in self.first("depends").split(",") if name]

    @property
    def parameters(self) -> dict[str, str]:
        """Declared parameters and their types."""
        return {name: kind for name, _, kind in (parm.partition(":") for parm in self.fields.get("parmtype", []))}


def _section(image: BinaryIO, wanted: bytes) -> bytes:
    image.seek(0)
    start = image.read(64)
    offset, (size, count, names) = struct.unpack_from("<Q", start, 40)[0], struct.unpack_from("<HHH", start, 58)
    image.seek(offset)
    table = image.read(size * count)
    headers = [struct.unpack_from("<IIQQQQ", table, size * index) for index in range(count)]
    image.seek(headers[names][4])
    strings = image.read(headers[names][5])
    for name, _, _, _, begin, length in headers:
        if strings.startswith(wanted + b"\0", name):
            image.seek(begin)
            return image.read(length)
    return b""


def _fields(image: BinaryIO) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    for entry in _section(image, b".modinfo").split(b"\0"):
        key, equals, value = entry.decode(errors="replace").partition("=")
        if equals:
            fields.setdefault(key, []).append(value)
    return fields


def _marks(content: bytes) -> tuple[str, str]:
    """NVIDIA's version line and the compiler, found by plain search: a pattern over 90 MB takes seconds."""
    found = []
    for start, pattern in ((b"NVIDIA UNIX ", _BANNER), (b"GCC: (", _COMPILER)):
        match = pattern.match(content, max(content.find(start), 0))
        found.append(match)
    banner, compiler = found
    return (
        banner[0].decode() if banner else "",
        f"gcc version {compiler[2].decode()} {compiler[1].decode()}" if compiler else "",
    )


def read(path: Path) -> ModuleFile | None:
    """Read a 64-bit module file; None where it is no such file."""
    with path.open("rb") as image:
        if image.read(5) != b"\x7fELF\x02":
            return None
        fields = _fields(image)
        size = image.seek(0, 2)
    if "name" not in fields:
        return None
    marks = _marks(path.read_bytes()) if fields["name"][0] == "nvidia" else ("", "")
    return ModuleFile(fields, size, *marks)
