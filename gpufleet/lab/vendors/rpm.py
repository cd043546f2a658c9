"""rpm packages, written without rpmbuild: lead, signature, header and a compressed cpio archive.

built = rpm.build(Package("dkms", "3.1.0-1.el9", architecture="all", depends=("gcc",), files=(...)), key)
yum.index(folder, [built], key)
"""

from __future__ import annotations

import gzip
import hashlib
import re
import stat
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

from gpufleet.lab.vendors.openpgp import Key
from gpufleet.lab.vendors.package import TIMESTAMP, File, Package, Relation, relation
from gpufleet.lab.vendors.rpm_header import BINARY, INT16, INT32, STRING, STRINGS, TRANSLATED, Value, header

ARCHITECTURES = {"any": "x86_64", "all": "noarch"}
SENSE = {"": 0, "<": 2, ">": 4, "=": 8, "<=": 10, ">=": 12}
#: Features of the format that every reader must know, as rpmbuild lists them.
FEATURES = {"CompressedFileNames": "3.0.4-1", "FileDigests": "4.6.0-1", "PayloadFilesHavePrefix": "4.0-1"}
RPMLIB = 1 << 24 | SENSE["<="]
#: Regions and tags (rpmtag.h).
SIGNATURES, IMMUTABLE = 62, 63
SCRIPTS = {"preinst": (1023, 1085), "postinst": (1024, 1086), "prerm": (1025, 1087), "postrm": (1026, 1088)}
#: Relation -> tags of names, versions and signs.
RELATIONS = {
    "provides": (1047, 1113, 1112),
    "depends": (1049, 1050, 1048),
    "conflicts": (1054, 1055, 1053),
    "replaces": (1090, 1115, 1114),
    "recommends": (5046, 5047, 5048),
}
CONFIG_NOREPLACE = 1 | 16
#: Directories that are one package's alone, as NVIDIA names them.
OWN_FOLDER = re.compile(r"/usr/src/[^/]+|/etc/nvidia-[^/]+")
SHA256 = 8


@dataclass(frozen=True)
class Rpm:
    """A built package with what an index says of it."""

    package: Package
    data: bytes
    #: First byte of the main header and the byte after its last.
    header: tuple[int, int]

    @cached_property
    def filename(self) -> str:
        """File name: name, version, release and architecture."""
        _, version, release = self.package.evr
        return f"{self.package.name}-{version}-{release}.{architecture(self.package)}.rpm"

    @property
    def nevra(self) -> str:
        """Name, epoch, version, release and architecture, as modules list packages."""
        epoch, version, release = self.package.evr
        return f"{self.package.name}-{epoch or 0}:{version}-{release}.{architecture(self.package)}"


def build(package: Package, key: Key) -> Rpm:
    """Build and sign a package; equal declarations give equal headers and payloads."""
    files = sorted([*package.files, *folders(package.files)], key=lambda file: file.path)
    content = cpio(files)
    payload = gzip.compress(content, 6, mtime=0)
    digest = hashlib.sha256(payload).hexdigest()
    body = header(IMMUTABLE, [*described(package, digest), *related(package), *scripts(package), *listed(files)])
    signed = header(
        SIGNATURES,
        [
            (268, BINARY, key.sign(body)),
            (269, STRING, hashlib.sha1(body, usedforsecurity=False).hexdigest()),
            (273, STRING, hashlib.sha256(body).hexdigest()),
            (1000, INT32, len(body) + len(payload)),
            (1007, INT32, len(content)),
        ],
    )
    start = lead(package) + signed + b"\0" * (-len(signed) % 8)
    return Rpm(package, start + body + payload, (len(start), len(start) + len(body)))


def architecture(package: Package) -> str:
    """rpm's name of the architecture."""
    return ARCHITECTURES[package.architecture]


def lead(package: Package) -> bytes:
    """The fixed start of a file, which only `file` still reads."""
    name = "-".join([package.name, *package.evr[1:]]).encode()[:65]
    return struct.pack(">4sBBHH66sHH16x", b"\xed\xab\xee\xdb", 3, 0, 0, 1, name, 1, 5)


def described(package: Package, digest: str) -> list[tuple[int, int, Value]]:
    """Tags of name, version and description."""
    epoch, version, release = package.evr
    return [
        *((100, STRINGS, ["C"]), (1000, STRING, package.name), (1001, STRING, version), (1002, STRING, release)),
        *([(1003, INT32, int(epoch))] if epoch else []),
        *((1004, TRANSLATED, [package.summary or package.name]), (1005, TRANSLATED, ["Stand-in of the gpufleet lab."])),
        *((1006, INT32, TIMESTAMP), (1007, STRING, "lab"), (1009, INT32, package.installed_size)),
        *((1014, STRING, "Apache-2.0"), (1016, TRANSLATED, ["Unspecified"]), (1021, STRING, "linux")),
        *((1022, STRING, architecture(package)), (1044, STRING, f"{package.name}-{version}-{release}.src.rpm")),
        *((1064, STRING, "4.16.1.3"), (1124, STRING, "cpio"), (1125, STRING, "gzip"), (1126, STRING, "6")),
        *((5062, STRING, "utf-8"), (5092, STRINGS, [digest]), (5093, INT32, SHA256)),
    ]


def relations(package: Package, kind: str) -> list[Relation]:
    """A package's relations of a kind; every package provides itself."""
    found = [relation(text) for text in getattr(package, kind)]
    if kind == "provides":
        own = [package.name] + ([f"{package.name}(x86-64)"] if package.architecture == "any" else [])
        found = [*(Relation(name, "=", package.version) for name in own), *found]
    return found


def related(package: Package) -> list[tuple[int, int, Value]]:
    """Tags of all relations."""
    tags: list[tuple[int, int, Value]] = []
    for kind, (names, versions, signs) in RELATIONS.items():
        rows = [(one.name, one.version, SENSE[one.sign]) for one in relations(package, kind)]
        if kind == "depends":
            rows += [(f"rpmlib({name})", version, RPMLIB) for name, version in FEATURES.items()]
        rows.sort()
        tags += [
            (names, STRINGS, [row[0] for row in rows]),
            (versions, STRINGS, [row[1] for row in rows]),
            (signs, INT32, [row[2] for row in rows]),
        ]
    return tags


def scripts(package: Package) -> list[tuple[int, int, Value]]:
    """Tags of the scripts and the shell that runs them."""
    tags: list[tuple[int, int, Value]] = []
    for name, text in package.scripts.items():
        script, program = SCRIPTS[name]
        tags += [(script, STRING, text), (program, STRING, "/bin/sh")]
    return tags


def folders(files: Sequence[File]) -> list[File]:
    """Directories that come and go with the package: rpm removes none that no package names."""
    parents = sorted({str(PurePosixPath(file.path).parent) for file in files})
    return [File(path, mode=0o755, folder=True) for path in parents if OWN_FOLDER.fullmatch(path)]


def listed(files: Sequence[File]) -> list[tuple[int, int, Value]]:
    """Tags of the files."""
    count = len(files)
    above = sorted({f"{PurePosixPath(file.path).parent}/" for file in files})
    places = [above.index(f"{PurePosixPath(file.path).parent}/") for file in files]
    digests = ["" if file.link or file.folder else hashlib.sha256(file.data).hexdigest() for file in files]
    return [
        (1028, INT32, [size(file) for file in files]),
        (1030, INT16, [mode(file) for file in files]),
        (1033, INT16, [0] * count),
        (1034, INT32, [TIMESTAMP] * count),
        (1035, STRINGS, digests),
        (1036, STRINGS, [file.link for file in files]),
        (1037, INT32, [CONFIG_NOREPLACE if file.config else 0 for file in files]),
        *((tag, STRINGS, ["root"] * count) for tag in (1039, 1040)),
        (1045, INT32, [0xFFFFFFFF] * count),
        (1095, INT32, [1] * count),
        (1096, INT32, list(range(1, count + 1))),
        (1097, STRINGS, [""] * count),
        (1116, INT32, places),
        (1117, STRINGS, [PurePosixPath(file.path).name for file in files]),
        (1118, STRINGS, above if count else []),
        (5011, INT32, [SHA256] if count else []),
    ]


def mode(file: File) -> int:
    """Kind and permissions of a file."""
    kind = stat.S_IFLNK if file.link else stat.S_IFDIR if file.folder else stat.S_IFREG
    return kind | (0o777 if file.link else file.mode)


def size(file: File) -> int:
    """Bytes of a file, or of the path that a link holds."""
    return len(file.link or file.data)


def cpio(files: Sequence[File]) -> bytes:
    """The archive of the files, in cpio's `newc` form."""
    members = [(f".{file.path}", mode(file), file.link.encode() or file.data) for file in files]
    body = b""
    for number, (name, bits, data) in enumerate([*members, ("TRAILER!!!", 0, b"")], 1):
        raw = name.encode() + b"\0"
        fields = (number if bits else 0, bits, 0, 0, 1, TIMESTAMP if bits else 0, len(data), 0, 0, 0, 0, len(raw), 0)
        start = b"070701" + "".join(f"{field:08x}" for field in fields).encode() + raw
        body += start + b"\0" * (-len(start) % 4) + data + b"\0" * (-len(data) % 4)
    return body
