"""The apt archives a host names, in either format, and which components of Debian's are switched on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pyinfra.api.facts import FactBase
from typing_extensions import override

#: The archive is Debian's when its path says so: .../debian, .../debian-security, a mirror list named after them.
_DEBIAN_URI = re.compile(r"(^|/)debian(-security)?(\.list)?(/|$)")
_ONE_LINE = re.compile(
    r"^[ \t]*deb(?:-src)?[ \t]+(?:\[[^\]\n]*\][ \t]+)?(?P<uri>\S+)[ \t]+\S+[ \t]+(?P<names>[^#\n]+)", re.MULTILINE
)
_STANZA = re.compile(r"^(?:[^\n]*\S[^\n]*(?:\n|\Z))+", re.MULTILINE)
_FIELD = re.compile(r"^(?P<name>[A-Za-z-]+):(?P<value>[^\n]*(?:\n(?:[ \t]+\S[^\n]*|#[^\n]*))*)", re.MULTILINE)


class SourcesFiles(FactBase[dict[str, str]]):
    """Text of every file that names apt archives, by path."""

    default = dict

    @override
    def command(self) -> str:
        """Print each line after its file name."""
        return (
            "grep -sH '' /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources || true"
        )

    @override
    def process(self, output: list[str]) -> dict[str, str]:
        """Put the lines of each file together again."""
        files: dict[str, str] = {}
        for path, _, line in (row.partition(":") for row in output):
            files[path] = files.get(path, "") + line + "\n"
        return files


def components(path: str, text: str) -> list[str]:
    """Return the components that all Debian entries of a file have in common, in the order of the first entry."""
    entries = [names.split() for names, _ in _debian_entries(path, text)]
    return [name for name in entries[0] if all(name in entry for entry in entries)] if entries else []


def with_components(path: str, text: str, wanted: Sequence[str]) -> str:
    """Return the file's text with these components switched on in every Debian entry, all else as it was."""
    for names, position in reversed(list(_debian_entries(path, text))):
        missing = [name for name in wanted if name not in names.split()]
        end = position + len(names.rstrip())
        text = text[:end] + "".join(f" {name}" for name in missing) + text[end:]
    return text


def _debian_entries(path: str, text: str) -> Iterator[tuple[str, int]]:
    """Yield the component names of each entry of Debian's archive, as written, and where in the text they begin."""
    entries = _deb822_entries(text) if path.endswith(".sources") else _one_line_entries(text)
    for uris, names, position in entries:
        if "main" in names.split() and any(_DEBIAN_URI.search(uri) for uri in uris.split()):
            yield names, position


def _one_line_entries(text: str) -> Iterator[tuple[str, str, int]]:
    for entry in _ONE_LINE.finditer(text):
        yield entry["uri"], entry["names"], entry.start("names")


def _deb822_entries(text: str) -> Iterator[tuple[str, str, int]]:
    """Yield the URIs and components of each stanza; a value goes on in lines that begin with a space."""
    for stanza in _STANZA.finditer(text):
        fields = {field["name"].lower(): field for field in _FIELD.finditer(stanza[0])}
        if {"uris", "components"} <= fields.keys() and not _is_off(fields.get("enabled")):
            names = fields["components"]
            yield fields["uris"]["value"], names["value"], stanza.start() + names.start("value")


def _is_off(enabled: re.Match[str] | None) -> bool:
    return enabled is not None and enabled["value"].strip().lower() in {"no", "false", "0", "off", "without"}
