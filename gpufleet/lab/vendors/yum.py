"""dnf repositories: packages, repodata with optional module streams, and its signature."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

from gpufleet.lab.vendors import rpm
from gpufleet.lab.vendors.openpgp import Key, armor
from gpufleet.lab.vendors.package import TIMESTAMP, File, Relation
from gpufleet.lab.vendors.rpm import Rpm

XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
NAMESPACE = "http://linux.duke.edu/metadata"
SIGNS = {"<": "LT", ">": "GT", "=": "EQ", "<=": "LE", ">=": "GE"}
KINDS = {
    **{"provides": "provides", "depends": "requires", "conflicts": "conflicts"},
    **{"replaces": "obsoletes", "recommends": "recommends"},
}


class Part(NamedTuple):
    """One file of the repodata: what it is, and its text."""

    kind: str
    text: str
    suffix: str = "xml"


def index(folder: Path, packages: Iterable[Rpm], key: Key, modules: str = "") -> None:
    """Write packages and repodata into a folder; `modules` is the YAML of module streams."""
    data = folder / "repodata"
    data.mkdir(parents=True, exist_ok=True)
    built = sorted(packages, key=lambda one: one.filename)
    for one in built:
        (folder / one.filename).write_bytes(one.data)
    parts = [
        Part("primary", document("metadata", f"{NAMESPACE}/common", "rpm", built, primary)),
        Part("filelists", document("filelists", f"{NAMESPACE}/filelists", "", built, filelist)),
        Part("other", document("otherdata", f"{NAMESPACE}/other", "", built, other)),
        *([Part("modules", modules, "yaml")] if modules else []),
    ]
    entries = "".join(write(data, part) for part in parts)
    head = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<repomd xmlns="{NAMESPACE}/repo">\n<revision>{TIMESTAMP}</revision>\n'
    )
    text = f"{head}{entries}</repomd>\n".encode()
    (data / "repomd.xml").write_bytes(text)
    (data / "repomd.xml.asc").write_bytes(armor("SIGNATURE", key.sign(text)))
    (data / "repomd.xml.key").write_bytes(key.armored())


def write(folder: Path, part: Part) -> str:
    """Write one part; returns its entry in repomd.xml."""
    raw = part.text.encode()
    packed = gzip.compress(raw, 6, mtime=0)
    digest = hashlib.sha256(packed).hexdigest()
    name = f"{digest}-{part.kind}.{part.suffix}.gz"
    (folder / name).write_bytes(packed)
    return (
        f'<data type="{part.kind}"><checksum type="sha256">{digest}</checksum>'
        f'<open-checksum type="sha256">{hashlib.sha256(raw).hexdigest()}</open-checksum>'
        f'<location href="repodata/{name}"/><timestamp>{TIMESTAMP}</timestamp>'
        f"<size>{len(packed)}</size><open-size>{len(raw)}</open-size></data>\n"
    )


def document(root: str, namespace: str, prefix: str, built: Sequence[Rpm], render: Callable[[Rpm], str]) -> str:
    """A part that has one element per package."""
    extra = f' xmlns:{prefix}="{NAMESPACE}/{prefix}"' if prefix else ""
    body = "".join(render(one) for one in built)
    start = f'<{root} xmlns="{namespace}"{extra} packages="{len(built)}">'
    return f"{XML}{start}\n{body}</{root}>\n"


def version(one: Rpm) -> str:
    """The element that tells the version."""
    epoch, number, release = one.package.evr
    return f'<version epoch="{epoch or 0}" ver="{number}" rel="{release}"/>'


def primary(one: Rpm) -> str:
    """What dnf resolves by."""
    package, (start, end) = one.package, one.header
    relations = "".join(group(one, kind) for kind in KINDS)
    summary = escape(package.summary or package.name)
    return (
        f'<package type="rpm"><name>{package.name}</name><arch>{rpm.architecture(package)}</arch>{version(one)}'
        f'<checksum type="sha256" pkgid="YES">{digest(one)}</checksum><summary>{summary}</summary>'
        f"<description>{summary}</description><packager></packager><url></url>"
        f'<time file="{TIMESTAMP}" build="{TIMESTAMP}"/>'
        f'<size package="{len(one.data)}" installed="{package.installed_size}" archive="{package.installed_size}"/>'
        f'<location href="{one.filename}"/><format><rpm:license>Apache-2.0</rpm:license><rpm:vendor></rpm:vendor>'
        f"<rpm:group>Unspecified</rpm:group><rpm:buildhost>lab</rpm:buildhost>"
        f"<rpm:sourcerpm>{package.name}-{package.evr[1]}-{package.evr[2]}.src.rpm</rpm:sourcerpm>"
        f'<rpm:header-range start="{start}" end="{end}"/>{relations}'
        f"{''.join(paths(file for file in package.files if wanted(file)))}</format></package>\n"
    )


def digest(one: Rpm) -> str:
    """Checksum of the package, which is also its identity in the repodata."""
    return hashlib.sha256(one.data).hexdigest()


def group(one: Rpm, kind: str) -> str:
    """All relations of a kind."""
    rows = "".join(entry(relation) for relation in rpm.relations(one.package, kind))
    return f"<rpm:{KINDS[kind]}>{rows}</rpm:{KINDS[kind]}>" if rows else ""


def entry(relation: Relation) -> str:
    """One relation."""
    if not relation.sign:
        return f"<rpm:entry name={quoteattr(relation.name)}/>"
    epoch, colon, rest = relation.version.rpartition(":")
    number, _, release = rest.partition("-")
    ending = f' rel="{release}"' if release else ""
    return (
        f'<rpm:entry name={quoteattr(relation.name)} flags="{SIGNS[relation.sign]}" '
        f'epoch="{epoch if colon else 0}" ver="{number}"{ending}/>'
    )


def wanted(file: File) -> bool:
    """Whether primary lists a file: programs and configuration, as createrepo_c chooses."""
    return "bin/" in file.path or file.path.startswith("/etc/")


def paths(files: Iterable[File]) -> Iterable[str]:
    """Elements of files."""
    return (f"<file>{escape(file.path)}</file>" for file in files)


def filelist(one: Rpm) -> str:
    """All files of a package."""
    start = f'<package pkgid="{digest(one)}" name="{one.package.name}" arch="{rpm.architecture(one.package)}">'
    return f"{start}{version(one)}{''.join(paths(one.package.files))}</package>\n"


def other(one: Rpm) -> str:
    """The change log, which is empty."""
    start = f'<package pkgid="{digest(one)}" name="{one.package.name}" arch="{rpm.architecture(one.package)}">'
    return f"{start}{version(one)}</package>\n"
