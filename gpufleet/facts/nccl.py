"""What the host's NCCL says of itself: the version of library and header, and what the library reads."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field

from pyinfra.api.facts import FactBase
from typing_extensions import override

_HEADER = re.compile(r"header #define NCCL_VERSION_CODE\s+(?P<number>\d+)")

#: Asks the library for its version, makes it read its files as the first call of every job does, and prints what
#: those put into the environment; no GPU is needed for that.
_ASK = """
import ctypes, os
library = ctypes.CDLL("libnccl.so.2")
number = ctypes.c_int()
library.ncclGetVersion(ctypes.byref(number))
print("library", number.value)
before = {name for name in os.environ if name.startswith("NCCL_")}
libc = ctypes.CDLL(None)
libc.getenv.restype = ctypes.c_char_p
status = library.ncclGetUniqueId(ctypes.create_string_buffer(128))
print("status", status)
libc.fflush(None)
for line in open("/etc/nccl.conf"):
    name = line.partition("=")[0]
    if name.startswith("NCCL_") and name not in before:
        value = libc.getenv(name.encode())
        if value is not None:
            print("read", name + "=" + value.decode())
"""


@dataclass(frozen=True)
class Nccl:
    """Versions of library and header, an empty string where there is none, and the settings that the library took."""

    library: str = ""
    header: str = ""
    #: Whether a program on this host could ask the library at all.
    asked: bool = False
    #: What the library answered to the request for an identity; 0 is success, None no answer.
    status: int | None = None
    read: dict[str, str] = field(default_factory=dict)


class NcclState(FactBase[Nccl]):
    """NCCL as programs on the host find it: `Nccl(library="2.22.3", header="2.22.3", asked=True, ...)`."""

    default = Nccl

    @override
    def command(self) -> str:
        """Read the header, and ask the library by Python's ctypes where the host has it."""
        ask = shlex.quote(_ASK)
        return (
            "sed -n 's/^#define NCCL_VERSION_CODE /header &/p' /usr/include/nccl.h 2>/dev/null; "
            "p=/usr/libexec/platform-python; [ -x $p ] || p=python3; "
            "if $p -c 'import ctypes' 2>/dev/null; then echo asked; "
            f"env -u NCCL_CONF_FILE HOME=/nonexistent $p -c {ask} 2>/dev/null; fi; true"
        )

    @override
    def process(self, output: list[str]) -> Nccl:
        """Parse `header #define NCCL_VERSION_CODE 22203`, `library 22203`, `status 0`, `read NCCL_IB_HCA==mlx5_0`."""
        codes = [int(match["number"]) for line in output if (match := _HEADER.match(line))]
        rows = [line.partition(" ")[::2] for line in output]
        last = dict(rows)
        return Nccl(
            library=version(int(last["library"])) if last.get("library", "").isdigit() else "",
            header=version(codes[0]) if codes else "",
            asked="asked" in last,
            status=int(last["status"]) if last.get("status", "").isdigit() else None,
            read=dict(text.split("=", 1) for word, text in rows if word == "read" and "=" in text),
        )


def version(number: int) -> str:
    """Write NCCL's version number out: 22203 is 2.22.3; before 2.9 it was 2804 for 2.8.4."""
    major, rest = (number // 10000, number % 10000) if number >= 10000 else (number // 1000, number % 1000)
    return f"{major}.{rest // 100}.{rest % 100}"
