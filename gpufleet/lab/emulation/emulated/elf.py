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


def _find(content: bytes, start: bytes, pattern: re.Pattern[bytes]) -> re.Match[bytes] | None:
    """First match of a pattern that begins with `start`: found by plain search, a pattern over 90 MB takes seconds."""
    place = content.find(start)
    while place >= 0:
        if match := pattern.match(content, place):
            return match
        place = content.find(start, place + 1)
    return None


def _banner(content: bytes, fields: dict[str, list[str]]) -> str:
    """NVIDIA's version line, as built into the module; made of license and version where it cannot be found."""
    if match := _find(content, b"NVIDIA UNIX ", _BANNER):
        return match[0].decode()
    is_open = "MIT" in fields.get("license", [""])[0]
    build = "Open Kernel Module for x86_64" if is_open else "x86_64 Kernel Module"
    return f"NVIDIA UNIX {build}  {fields.get('version', [''])[0]}"


def _compiler(content: bytes) -> str:
    match = _find(content, b"GCC: (", _COMPILER)
    return f"gcc version {match[2].decode()} {match[1].decode()}" if match else ""


def read(path: Path) -> ModuleFile | None:
    """Read a 64-bit module file; None where it is no such file."""
    with path.open("rb") as image:
        if image.read(5) != b"\x7fELF\x02":
            return None
        fields = _fields(image)
        size = image.seek(0, 2)
    if "name" not in fields:
        return None
    if fields["name"][0] != "nvidia":
        return ModuleFile(fields, size, "", "")
    content = path.read_bytes()
    return ModuleFile(fields, size, _banner(content, fields), _compiler(content))
