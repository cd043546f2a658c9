"""A machine owner key for the tests that sign modules, and its way into the firmware of a lab host."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from gpufleet.lab.lab import LabHost

SIGNER = "Fleet key"
START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


@dataclass(frozen=True)
class OwnerKey:
    """Files of a key and its certificate, on the controller."""

    key: Path
    certificate: Path

    @classmethod
    def make(cls, folder: Path) -> OwnerKey:
        """Make a pair as an operator would."""
        made = cls(folder / "mok.key", folder / "mok.der")
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, SIGNER)])
        end = START + datetime.timedelta(days=36500)
        certificate = x509.CertificateBuilder(subject, subject, key.public_key(), 1, START, end).sign(key, SHA256())
        made.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        made.certificate.write_bytes(certificate.public_bytes(Encoding.DER))
        return made

    def data(self) -> dict[str, Any]:
        """What the inventory says of it."""
        return {"mok_key": {"file": str(self.key)}, "mok_certificate": {"file": str(self.certificate)}}


def enroll(host: LabHost, certificate: str) -> None:
    """Do what the error's cure asks for: import the certificate, reboot, and confirm, which the lab's firmware does."""
    host.execute(f"printf 'secret\\nsecret\\n' | mokutil --import {certificate}")
    host.reboot()


def signer(host: LabHost, module: str = "nvidia") -> str:
    """Who signed a module, as its file says."""
    return host.execute(f"modinfo -F signer {module}").stdout.strip()
