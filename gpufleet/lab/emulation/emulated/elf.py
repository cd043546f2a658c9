"""What a kernel module file says of itself: its .modinfo section, and the marks of NVIDIA's build."""

from __future__ import annotations

import re
import struct
from typing import NamedTuple

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


def _section(image: bytes, wanted: bytes) -> bytes:
    offset, (size, count, names) = struct.unpack_from("<Q", image, 40)[0], struct.unpack_from("<HHH", image, 58)
    headers = [struct.unpack_from("<IIQQQQ", image, offset + size * index) for index in range(count)]
    strings = headers[names][4]
    for name, _, _, _, start, length in headers:
        end = image.index(b"\0", strings + name)
        if image[strings + name : end] == wanted:
            return image[start : start + length]
    return b""


def read(image: bytes) -> ModuleFile | None:
    """Read a 64-bit module file; None where it is no such file."""
    if image[:5] != b"\x7fELF\x02":
        return None
    fields: dict[str, list[str]] = {}
    for entry in _section(image, b".modinfo").split(b"\0"):
        key, equals, value = entry.decode(errors="replace").partition("=")
        if equals:
            fields.setdefault(key, []).append(value)
    if "name" not in fields:
        return None
    nvidia = fields["name"][0] == "nvidia"
    banner = _BANNER.search(image) if nvidia else None
    compiler = _COMPILER.search(image) if nvidia else None
    return ModuleFile(
        fields,
        len(image),
        banner[0].decode() if banner else "",
        f"gcc version {compiler[2].decode()} {compiler[1].decode()}" if compiler else "",
    )
