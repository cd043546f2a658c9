"""Which entries of apt's sources are put out of force beside a repository of ours."""

from __future__ import annotations

import pytest

from gpufleet.operations.conflicting_sources import without

URI = "https://developer.download.nvidia.com/compute/cuda/repos/ubuntu2404/x86_64/"
OFF = "# off by gpufleet: "
UBUNTU = "deb https://archive.example.org/ubuntu noble main\n"
STANZA = f"Types: deb\nURIs: {URI}\nSuites: /\n"
OTHER = "Types: deb\nURIs: https://archive.example.org/ubuntu\nSuites: noble\nComponents: main\n"


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        pytest.param("x.list", f"deb {URI} /\n{UBUNTU}", f"{OFF}deb {URI} /\n{UBUNTU}", id="a line among others"),
        pytest.param(
            "x.list",
            f"deb [signed-by=/usr/share/keyrings/cuda-archive-keyring.gpg] {URI.rstrip('/')} /\n",
            f"{OFF}deb [signed-by=/usr/share/keyrings/cuda-archive-keyring.gpg] {URI.rstrip('/')} /\n",
            id="with options and without the slash",
        ),
        pytest.param("x.list", f"# deb {URI} /\n{UBUNTU}", f"# deb {URI} /\n{UBUNTU}", id="out of force already"),
        pytest.param("x.list", f"deb {URI}more/ /\n", f"deb {URI}more/ /\n", id="a directory below it"),
        pytest.param(
            "x.list",
            f"deb {URI.replace('x86_64', '$(ARCH)')} /\ndeb {URI.replace('x86', '$(ARCH)')}more /\n",
            f"{OFF}deb {URI.replace('x86_64', '$(ARCH)')} /\ndeb {URI.replace('x86', '$(ARCH)')}more /\n",
            id="with apt's word for the architecture",
        ),
        pytest.param(
            "x.sources",
            f"{STANZA}\n{OTHER}",
            f"{OFF}Types: deb\n{OFF}URIs: {URI}\n{OFF}Suites: /\n\n{OTHER}",
            id="a stanza among others",
        ),
        pytest.param("x.sources", OTHER, OTHER, id="no stanza of it"),
        pytest.param(
            "x.sources",
            f"Types: deb\nURIs:\n {URI}\nSuites: /\n",
            f"{OFF}Types: deb\n{OFF}URIs:\n{OFF} {URI}\n{OFF}Suites: /\n",
            id="an address on a line of its own",
        ),
    ],
)
def test_without(path: str, text: str, expected: str) -> None:
    assert without(path, text, URI) == expected
    assert without(path, expected, URI) == expected
