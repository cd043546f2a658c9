"""Where a build lies on this machine between its host and the repository, and taking it in."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from gpufleet.errors import GpufleetError
from gpufleet.precompiled.artifact import REBUILD, Artifact, checksum
from gpufleet.precompiled.repository import Directory
from gpufleet.project import state_dir

DESCRIPTION, PACKAGE = "build.json", "package"


def default_repository() -> Path:
    """Return the directory of builds where none is named."""
    return state_dir() / "modules"


def default_key() -> Path:
    """Return the private key that signs builds where none is named."""
    return state_dir() / "modules-signing-key"


def folder(host: str) -> Path:
    """Return the directory that gets what a host has built."""
    return state_dir() / "modules-incoming" / host


def take(host: str, repository: Directory, key: Path) -> Artifact:
    """Check what a host has built, sign it and take it into the repository; raises GpufleetError where it is broken."""
    place = folder(host)
    described = json.loads((place / DESCRIPTION).read_text(encoding="utf-8"))
    artifact = Artifact(**described, built_on=host)
    found = checksum(place / PACKAGE)
    if found != artifact.sha256:
        raise GpufleetError(f"{host}: {artifact.file}", expected=f"sha256 {artifact.sha256}", found=found, cure=REBUILD)
    repository.add(artifact, place / PACKAGE, key)
    discard(host)
    return artifact


def arrived(hosts: Iterator[str]) -> list[str]:
    """Return those hosts whose builds lie here."""
    return [host for host in hosts if (folder(host) / DESCRIPTION).is_file()]


def discard(host: str) -> None:
    """Remove what lies here of a host: of this build, or of one that was cut off."""
    shutil.rmtree(folder(host), ignore_errors=True)
