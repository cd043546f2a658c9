"""What a lab keeps on disk: keys, one directory per host, and lab.json once its hosts exist."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gpufleet.project import state_dir


@dataclass(frozen=True)
class State:
    """The directory of one lab."""

    lab: str

    @property
    def path(self) -> Path:
        """Directory that holds all of it."""
        return state_dir().absolute() / "labs" / self.lab

    @property
    def record(self) -> Path:
        """`lab.json`: written last, so that its presence means that the hosts exist."""
        return self.path / "lab.json"

    @property
    def key(self) -> Path:
        """Private key of the lab's user."""
        return self.path / "id_ed25519"

    @property
    def known_hosts(self) -> Path:
        """Host keys of the lab's hosts, for strict checking."""
        return self.path / "known_hosts"

    @property
    def denied(self) -> Path:
        """Addresses that the package archive refuses, one per line."""
        return self.path / "denied"

    @property
    def kubernetes(self) -> Path:
        """Release of Kubernetes of the lab's control plane; its presence means that the lab has one."""
        return self.path / "kubernetes"

    @property
    def images(self) -> Path:
        """Images that the nodes of a lab with a control plane begin with."""
        return self.path / "images.tar"

    def host(self, name: str) -> Path:
        """Directory that is /etc/gpufleet-lab inside the host."""
        return self.path / "hosts" / name

    def host_key(self, name: str) -> Path:
        """Private SSH host key of a host; it survives a rebuild of the host, as on a machine."""
        return self.path / "host-keys" / name

    def read(self) -> dict[str, Any] | None:
        """lab.json, or None where no lab has been completed."""
        return dict(json.loads(self.record.read_text())) if self.record.is_file() else None

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep a second `lab up` or `lab down` of the same lab waiting."""
        while True:
            self.path.mkdir(parents=True, exist_ok=True)
            with locked(self.path / "lock") as current:
                if current:
                    yield
                    return

    def remove(self) -> None:
        """Remove the lab's directory, and the parent if it was the last one in it."""
        shutil.rmtree(self.path)
        with contextlib.suppress(OSError):
            self.path.parent.rmdir()


@contextlib.contextmanager
def locked(path: Path) -> Iterator[bool]:
    """Hold an exclusive lock on a file; yields False if the file was removed or replaced while waiting."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            current = os.path.samestat(os.fstat(file.fileno()), path.stat())
        except FileNotFoundError:
            current = False
        yield current


def write(path: Path, text: str, mode: int = 0o644) -> None:
    """Replace a file at once, so that no reader and no interrupt ever sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        os.fchmod(file.fileno(), mode)
    Path(temporary).replace(path)


def ensure_key(path: Path, comment: str) -> str:
    """Make an SSH key pair unless there is one; returns the public key's line."""
    public = path.with_name(f"{path.name}.pub")
    if not public.is_file():
        key = Ed25519PrivateKey.generate()
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        )
        line = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        write(path, private.decode(), 0o600)
        write(public, f"{line.decode()} {comment}\n")
    return public.read_text().strip()
