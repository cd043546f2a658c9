"""Taking in what hosts have built: whole, missing, broken, and side by side."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gpufleet.precompiled import incoming
from gpufleet.precompiled.artifact import checksum
from gpufleet.precompiled.building import taken_in
from gpufleet.precompiled.repository import Directory

DESCRIBED = {
    "release": "debian-12",
    "arch": "x86_64",
    "kernel": "6.1.0-56-amd64",
    "driver": "580.105.08",
    "flavor": "open",
    "package": "gpufleet-nvidia-modules-6.1.0-56-amd64",
    "version": "580.105.08-20261123060000",
    "file": "modules.deb",
    "signer": "",
    "built_at": "2026-11-23T06:00:00Z",
}
AGAIN = "run `gpufleet modules build` again, and if it stays deploy deploys/modules.py to this host and read its output"


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPUFLEET_STATE_DIR", str(tmp_path))


def arrive(host: str, description: str | None = None) -> str:
    """Lay a build down as a host's download does; returns its checksum."""
    place = incoming.folder(host)
    place.mkdir(parents=True)
    package = place / incoming.PACKAGE
    package.write_bytes(b"modules")
    text = description or json.dumps({**DESCRIBED, "sha256": checksum(package)})
    (place / incoming.DESCRIPTION).write_text(text)
    return checksum(package)


def test_one_broken_build_keeps_no_other_out(tmp_path: Path) -> None:
    sha256 = arrive("gpu-01")
    arrive("gpu-02", json.dumps({**DESCRIBED, "sha256": "0" * 64}))
    arrive("gpu-04", '{"signer": "the "fleet" key"}')
    directory = Directory(tmp_path / "modules")
    made, failures = taken_in(["gpu-02", "gpu-03", "gpu-04", "gpu-01"], directory, tmp_path / "key")
    assert [artifact.built_on for artifact in made] == ["gpu-01"]
    assert list(directory.artifacts()) == made
    assert not incoming.folder("gpu-01").exists()
    assert failures == [
        f"gpu-02: modules.deb: expected sha256 {'0' * 64}, found {sha256}; {AGAIN}",
        f"gpu-03: expected the description of a build, found none: the host decided to build nothing; {AGAIN}",
        "gpu-04: expected the description of a build, found one that cannot be read (Expecting ',' delimiter: line 1 "
        f"column 18 (char 17)); {AGAIN}",
    ]
