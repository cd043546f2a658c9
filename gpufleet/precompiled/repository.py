"""The repository of builds: a plain directory, found by path or by URL, in which every name follows from the key."""

from __future__ import annotations

import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gpufleet.errors import GpufleetError
from gpufleet.precompiled import signing
from gpufleet.precompiled.artifact import Artifact, checksum
from gpufleet.precompiled.key import ModuleKey

#: Seconds for a web server to answer.
TIMEOUT = 20
#: The public half of the signing key, at the top of the repository.
PUBLIC_KEY = "signing-key.pub"


@dataclass(frozen=True)
class Directory:
    """A repository on this machine; hosts get their files over SSH."""

    root: Path

    def find(self, key: ModuleKey) -> Artifact | None:
        """Return the build that fits, None where there is none; raises GpufleetError where its files are not whole."""
        path = self.root / key.manifest
        if not path.is_file():
            return None
        artifact = Artifact.read(path.read_text(encoding="utf-8"), str(path), key)
        package = path.parent / artifact.file
        found = checksum(package) if package.is_file() else "no such file"
        if found != artifact.sha256:
            raise GpufleetError(
                str(package),
                expected=f"sha256 {artifact.sha256}",
                found=found,
                cure="remove its manifest and run `gpufleet modules build` again",
            )
        return artifact

    def add(self, artifact: Artifact, package: Path, key: Path) -> None:
        """Take a package in: its file first and the signature last, so that no reader finds half a build."""
        public_key = signing.ensure_key(key)
        folder = (self.root / artifact.key.manifest).parent
        folder.mkdir(parents=True, exist_ok=True)
        partial = folder / f"{artifact.file}.part"
        shutil.copyfile(package, partial)
        partial.replace(folder / artifact.file)
        manifest = self.root / artifact.key.manifest
        unsigned = manifest.with_name(f"{manifest.name}.part")
        unsigned.write_text(artifact.model_dump_json(indent=2) + "\n", encoding="utf-8")
        signing.sign(unsigned, key).replace(manifest.with_name(f"{manifest.name}.sig"))
        unsigned.replace(manifest)
        (self.root / PUBLIC_KEY).write_text(f"{public_key}\n", encoding="utf-8")

    def artifacts(self) -> Iterator[Artifact]:
        """Yield every build, in the order of their paths."""
        for path in sorted(self.root.glob("*/*/*/nvidia-*.json")):
            yield Artifact.model_validate_json(path.read_text(encoding="utf-8"))

    def public_key(self) -> str:
        """Return the key that signed the builds, empty where nothing was ever signed."""
        path = self.root / PUBLIC_KEY
        return path.read_text(encoding="utf-8").strip() if path.is_file() else ""


@dataclass(frozen=True)
class Website:
    """A copy of such a directory behind a web server, from which hosts fetch their files themselves."""

    url: str

    def find(self, key: ModuleKey) -> Artifact | None:
        """Return the build that fits, None where the server has none; raises GpufleetError where it does not answer."""
        address = f"{self.url.rstrip('/')}/{key.manifest}"
        try:
            with urllib.request.urlopen(address, timeout=TIMEOUT) as reply:  # noqa: S310 - http(s), see `of`
                return Artifact.read(reply.read().decode(), address, key)
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise _unreachable(address, f"{error.code} {error.reason}") from error
        except OSError as error:
            raise _unreachable(address, str(error)) from error

    def address(self, artifact: Artifact, name: str) -> str:
        """Return the URL of a file beside the build's manifest."""
        return f"{self.url.rstrip('/')}/{artifact.key.manifest.rpartition('/')[0]}/{name}"


def of(place: str, default: Path) -> Directory | Website:
    """Return the repository at a path or an http(s) URL; an empty place means the default directory."""
    if place.startswith(("http://", "https://")):
        return Website(place)
    return Directory(Path(place).expanduser() if place else default)


def _unreachable(address: str, found: str) -> GpufleetError:
    return GpufleetError(
        address,
        expected="the manifest of a build, or 404",
        found=found,
        cure="see that the web server is up and serves the repository's directory",
    )
