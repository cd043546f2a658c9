"""Older entries for an archive that apt would refuse to read beside ours: "Conflicting values set for option"."""

from __future__ import annotations

import re
from collections.abc import Generator
from io import StringIO
from typing import Any

from pyinfra.api.operation import operation
from pyinfra.context import host
from pyinfra.operations import files

from gpufleet.facts.sources import SourcesFiles
from gpufleet.operations.lines import MARKER

Commands = Generator[Any, None, None]

_ONE_LINE = re.compile(r"[ \t]*deb(?:-src)?[ \t]+(?:\[[^\]]*\][ \t]+)?(?P<uri>\S+)")
_URIS = re.compile(r"^URIs:(?P<value>.*(?:\n[ \t]+\S.*)*)", re.MULTILINE | re.IGNORECASE)


@operation()
def removed(uri: str, keep: str) -> Commands:
    """
    Put every other entry for the same archive out of force, such as a keyring package's or an older installation's.

    + uri: base URL of the archive
    + keep: path of the one file that may name it

    A file that names nothing else goes; in others the entry is commented out.

    **Example:**

    .. code:: python

        conflicting_sources.removed(
            name="Remove older entries for NVIDIA's repository",
            uri="https://developer.download.nvidia.com/compute/cuda/repos/ubuntu2404/x86_64/",
            keep="/etc/apt/sources.list.d/nvidia-cuda.sources",
        )
    """
    texts = {path: text for path, text in host.get_fact(SourcesFiles).items() if path != keep}
    changed = {path: new for path, text in texts.items() if (new := without(path, text, uri)) != text}
    # Want no other entry and have none?
    if not changed:
        host.noop(f"no other file names {uri}")
    for path, text in changed.items():
        if _is_idle(text):
            yield from files.file._inner(path=path, present=False)
        else:
            yield from files.put._inner(src=StringIO(text), dest=path, mode="644", user="root", group="root")


def without(path: str, text: str, uri: str) -> str:
    """Return a file's text with the entries for an archive commented out."""
    if not path.endswith(".sources"):
        return "".join(
            MARKER + line if (entry := _ONE_LINE.match(line)) and _same(entry["uri"], uri) else line
            for line in text.splitlines(keepends=True)
        )
    stanzas = re.split(r"(\n[ \t]*\n)", text)
    return "".join(_commented(stanza) if _names(stanza, uri) else stanza for stanza in stanzas)


def _names(stanza: str, uri: str) -> bool:
    uris = _URIS.search(stanza)
    return uris is not None and any(_same(word, uri) for word in uris["value"].split())


def _same(named: str, uri: str) -> bool:
    """Compare an entry's address, in which apt fills in its own architecture, with an archive's."""
    pattern = re.escape(named.rstrip("/")).replace(re.escape("$(ARCH)"), "[a-z0-9_-]+")
    return re.fullmatch(pattern, uri.rstrip("/")) is not None


def _commented(stanza: str) -> str:
    return "".join(line if line.startswith("#") else MARKER + line for line in stanza.splitlines(keepends=True))


def _is_idle(text: str) -> bool:
    return all(not line.strip() or line.lstrip().startswith("#") for line in text.splitlines())
