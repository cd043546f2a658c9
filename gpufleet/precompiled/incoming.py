"""Where a build lies on this machine between its host and the repository, and taking it in."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from gpufleet.errors import GpufleetError
from gpufleet.precompiled.artifact import Artifact, checksum
from gpufleet.precompiled.repository import Directory
from gpufleet.project import state_dir

DESCRIPTION, PACKAGE = "build.json", "package"
AGAIN = "run `gpufleet modules build` again, and if it stays deploy deploys/modules.py to this host and read its output"


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
    """Check what a host has built, sign it and take it into the repository.

    Raises GpufleetError where nothing came back, or what came is broken.
    """
    place = folder(host)
    artifact = _described(host, place / DESCRIPTION)
    found = checksum(place / PACKAGE)
    if found != artifact.sha256:
        raise GpufleetError(f"{host}: {artifact.file}", expected=f"sha256 {artifact.sha256}", found=found, cure=AGAIN)
    repository.add(artifact, place / PACKAGE, key)
    discard(host)
    return artifact


def _described(host: str, path: Path) -> Artifact:
    try:
        return Artifact(**json.loads(path.read_text(encoding="utf-8")), built_on=host)
    except FileNotFoundError:
        found = "none: the host decided to build nothing"
    except ValueError as error:
        found = f"one that cannot be read ({str(error).splitlines()[0]})"
    raise GpufleetError(host, expected="the description of a build", found=found, cure=AGAIN)


def discard(host: str) -> None:
    """Remove what lies here of a host: of this build, or of one that was cut off."""
    shutil.rmtree(folder(host), ignore_errors=True)
