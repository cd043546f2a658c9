"""The firmware's variables: whether Secure Boot is on, and the machine owner's keys as shim keeps them.

Variables that firmware keeps lie in the host's own directory and outlive a reboot; a mount shows that directory at
/sys/firmware/efi/efivars, so that mokutil and others read and write it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from . import kmsg, mounts, paths

VARIABLES = paths.ROOT / "sys/firmware/efi/efivars"
STORE = paths.CONFIGURATION / "efivars"
GLOBAL = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
SHIM = "605dab50-e046-4300-abb6-3dd810dd8b23"
#: EFI_CERT_X509_GUID as it lies in memory.
X509 = bytes.fromhex("a159c0a5e494a74a87b5ab155c2bf072")
#: Attributes: kept over a reboot; readable by the boot loader; readable by the kernel.
KEPT, BOOT, RUNTIME = 1, 2, 4
LIST_HEADER = 28


def at_boot(secure: bool) -> None:
    """Put the variables in place, as the firmware and shim leave them to the kernel."""
    STORE.mkdir(exist_ok=True)
    mounts.show(STORE, VARIABLES)
    if "mok-unattended" not in paths.configured("faults.json"):
        manage_keys()
    put("MokListRT", SHIM, read("MokList", SHIM), BOOT | RUNTIME)
    put("SetupMode", GLOBAL, b"\0", BOOT | RUNTIME)
    set_secure_boot(secure)
    kmsg.log(f"secureboot: Secure boot {'enabled' if secure else 'disabled'}")


def set_secure_boot(on: bool) -> None:
    """Set what the firmware says of Secure Boot."""
    put("SecureBoot", GLOBAL, bytes([on]), BOOT | RUNTIME)


def secure_boot() -> bool:
    """Whether the firmware says that Secure Boot is on."""
    return read("SecureBoot", GLOBAL) == b"\1"


def manage_keys() -> None:
    """Do what the person at the console lets MokManager do: enroll and delete the keys that were asked for."""
    kept = list(certificates(read("MokList", SHIM)))
    new, gone = (list(certificates(read(name, SHIM))) for name in ("MokNew", "MokDel"))
    if new or gone:
        wanted = [*kept, *(one for one in new if one not in kept)]
        put("MokList", SHIM, b"".join(signature_list(one) for one in wanted if one not in gone), KEPT | BOOT)
    for name in ("MokNew", "MokAuth", "MokDel", "MokDelAuth"):
        path(name, SHIM).unlink(missing_ok=True)


def enrolled() -> list[bytes]:
    """The machine owner's certificates, DER."""
    return list(certificates(read("MokListRT", SHIM)))


def certificates(content: bytes) -> Iterator[bytes]:
    """The certificates in a sequence of EFI signature lists."""
    while len(content) >= LIST_HEADER:
        size, header, entry = struct.unpack_from("<III", content, 16)
        if content[:16] == X509 and entry > 16:
            for start in range(LIST_HEADER + header, size, entry):
                yield content[start + 16 : start + entry]
        content = content[max(size, LIST_HEADER) :]


def signature_list(certificate: bytes) -> bytes:
    """An EFI signature list with one certificate, owned by shim."""
    owner = struct.pack("<IHH", 0x605DAB50, 0xE046, 0x4300) + bytes.fromhex("abb63dd810dd8b23")
    entry = len(owner) + len(certificate)
    return X509 + struct.pack("<III", LIST_HEADER + entry, 0, entry) + owner + certificate


def path(name: str, vendor: str) -> Path:
    """File of a variable."""
    return VARIABLES / f"{name}-{vendor}"


def read(name: str, vendor: str) -> bytes:
    """Content of a variable without its attributes; nothing where there is none."""
    try:
        return path(name, vendor).read_bytes()[4:]
    except OSError:
        return b""


def put(name: str, vendor: str, content: bytes, attributes: int) -> None:
    """Write a variable; an empty one does not exist."""
    path(name, vendor).unlink(missing_ok=True)
    if content:
        path(name, vendor).write_bytes(struct.pack("<I", attributes) + content)
