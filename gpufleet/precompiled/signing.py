"""Signatures by OpenSSH: every host that can be reached has `ssh-keygen -Y`, so nothing is installed to verify one."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from gpufleet.errors import GpufleetError, ToolMissingError

#: What a signature is for: one made for another purpose with the same key is refused.
NAMESPACE = "gpufleet-modules"
#: The name under which hosts know the key.
IDENTITY = "gpufleet"


def allowed_signers(public_key: str) -> str:
    """The file by which `ssh-keygen -Y verify` knows the key, and for which purpose alone."""
    kind, key, *_ = public_key.split()
    return f'{IDENTITY} namespaces="{NAMESPACE}" {kind} {key}\n'


def ensure_key(path: Path) -> str:
    """Make an Ed25519 key pair unless there is one; returns the line of the public key."""
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        _ssh_keygen(["-q", "-t", "ed25519", "-N", "", "-C", NAMESPACE, "-f", str(path)], f"key {path}")
    return path.with_name(f"{path.name}.pub").read_text(encoding="utf-8").strip()


def sign(path: Path, key: Path) -> Path:
    """Sign a file; the signature lies beside it as `<file>.sig`."""
    signature = path.with_name(f"{path.name}.sig")
    signature.unlink(missing_ok=True)
    _ssh_keygen(["-q", "-Y", "sign", "-n", NAMESPACE, "-f", str(key), str(path)], f"signature of {path.name}")
    return signature


def verify(path: Path, public_key: str, scratch: Path) -> None:
    """See that a file carries a signature by this key; raises GpufleetError where it does not."""
    signers = scratch / "allowed_signers"
    signers.write_text(allowed_signers(public_key), encoding="utf-8")
    arguments = ["-q", "-Y", "verify", "-n", NAMESPACE, "-I", IDENTITY, "-f", str(signers), "-s", f"{path}.sig"]
    _ssh_keygen(arguments, f"signature of {path.name}", path.read_bytes())


def _ssh_keygen(arguments: Sequence[str], where: str, content: bytes = b"") -> None:
    if not shutil.which("ssh-keygen"):
        raise ToolMissingError(
            "ssh-keygen", expected="OpenSSH's ssh-keygen", found="none", cure="install openssh-client"
        )
    result = subprocess.run(["ssh-keygen", *arguments], input=content, capture_output=True, check=False)
    if result.returncode:
        said = (result.stderr or result.stdout).decode(errors="replace").strip() or f"exit status {result.returncode}"
        raise GpufleetError(
            where,
            expected="ssh-keygen to end well",
            found=said.splitlines()[-1],
            cure="see that the key is the one that signed, and readable",
        )
