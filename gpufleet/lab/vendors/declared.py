"""Packages from their declarations in data/: names, relations and files with `@words@` of a release in them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gpufleet.lab import vendors
from gpufleet.lab.vendors import elf, releases
from gpufleet.lab.vendors.package import File, Package
from gpufleet.lab.vendors.releases import Words, read

FILES = Path(__file__).parent / "files"
WORD = re.compile(r"@([a-z][a-z-]*)@")
#: Where NVIDIA's repositories are below the archive's address.
PLACE = "compute/cuda/repos"
BASE = f"http://archive:3142/nvidia/{PLACE}"
#: What the families call the same things by.
APT = {
    **{"libdir": "/usr/lib/x86_64-linux-gnu", "devel": "dev", "compiler": "build-essential", "umad": "libibumad3"},
    **{"open-epoch": ""},
}
DNF = {
    **{"libdir": "/usr/lib64", "devel": "devel", "compiler": "gcc-c++", "umad": "libibumad", "open-epoch": "3:"},
}
RELATIONS = ("depends", "recommends", "provides", "conflicts", "replaces")


def packages(repository: str) -> list[Package]:
    """Every package of a repository of NVIDIA's."""
    declared = read("repositories")[repository]
    family = declared["family"]
    common = {
        **(DNF if family == "rhel" else APT),
        **{"repository": repository, "base": BASE, "dist": declared.get("dist", "")},
    }
    return [package for name in declared["lists"] for package in listed(name, family, common)]


def listed(name: str, family: str, common: Words) -> Iterator[Package]:
    """The packages of one list, for every release that they are declared for."""
    declared = read(name)
    for words in releases.words(declared["each"], family):
        yield from of_release(declared, {**common, **words})


def of_release(declared: Mapping[str, Any], words: Words) -> Iterator[Package]:
    """The packages of one list for one release."""
    for entry in declared["packages"]:
        if applies(entry, words):
            yield package(entry, {**words, **entry.get("with", {})}, declared.get("version", "@full@"))


def applies(entry: Mapping[str, Any], words: Words) -> bool:
    """Whether a package exists in that release: `from` and `until` are driver branches, `after` and `before` CUDA's."""
    branch, cuda = int(words.get("branch", 0)), float(words.get("cuda", 0))
    branches = entry.get("from", 0) <= branch <= entry.get("until", 9999)
    return branches and float(entry.get("after", -1)) < cuda < float(entry.get("before", 1e6))


def package(entry: Mapping[str, Any], words: Words, version: str) -> Package:
    """One package of one release."""
    words = {name: filled(text, words) for name, text in words.items()}
    fragments = [read("fragments")[name] for name in entry.get("fragments", [])]
    parts = [*fragments, entry]
    relations: dict[str, Any] = {kind: tuple(filled(text, words) for text in entry.get(kind, [])) for kind in RELATIONS}
    return Package(
        name=filled(entry["name"], words),
        version=filled(entry.get("version", version), words),
        summary=filled(entry.get("summary", ""), words),
        architecture=entry.get("architecture", "any"),
        section=words.get("section", "NVIDIA"),
        source=words.get("source", ""),
        files=tuple(file for part in parts for file in files(part.get("files", {}), words)),
        scripts=scripts(parts, words),
        **relations,
    )


def filled(text: str, words: Words) -> str:
    """Text with its words; raises KeyError for one that the release does not have."""
    return WORD.sub(lambda match: words[match[1]], text)


def scripts(parts: list[Mapping[str, Any]], words: Words) -> dict[str, str]:
    """Scripts of all parts, one after the other."""
    found: dict[str, str] = {}
    for part in parts:
        for name, text in part.get("scripts", {}).items():
            found[name] = found.get(name, "") + filled(text, words)
    return found


def files(declared: Mapping[str, Mapping[str, Any]], words: Words) -> Iterator[File]:
    """Files of one part."""
    for path, how in declared.items():
        place = filled(path, words)
        if "link" in how:
            yield File(place, link=filled(how["link"], words))
        else:
            config = bool(how.get("config", place.startswith("/etc/")))
            yield File(place, content(how, words), int(how.get("mode", default_mode(place)), 8), config=config)


def default_mode(path: str) -> str:
    """Permissions of a file by its place."""
    return "755" if "/bin/" in path or "/sbin/" in path else "644"


def content(how: Mapping[str, Any], words: Words) -> bytes:
    """What a file holds."""
    if "library" in how:
        returns = {name: elf.answers(number) for name, number in how.get("returns", {}).items()}
        stores = {name: elf.stores(int(filled(str(number), words))) for name, number in how.get("stores", {}).items()}
        return elf.shared_object(filled(how["library"], words), {**returns, **stores})
    if "key" in how:
        return vendors.key().public()
    text = (FILES / how["file"]).read_text() if "file" in how else how["text"]
    return filled(text, words).encode()
