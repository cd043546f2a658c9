"""Authorities and certificates for tests, made when they are needed."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, both in PEM."""

    certificate: bytes
    key: bytes

    def written(self, folder: Path, name: str) -> tuple[Path, Path]:
        """Put both into files."""
        paths = folder / f"{name}.crt", folder / f"{name}.key"
        for path, content in zip(paths, (self.certificate, self.key), strict=True):
            path.write_bytes(content)
        return paths


class Authority:
    """Signs certificates; `pem` is its own."""

    def __init__(self, name: str = "a test authority") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = self._builder(self._name, self._key.public_key(), datetime.now(UTC) - DAY, datetime.now(UTC) + DAY)
        authority = x509.BasicConstraints(ca=True, path_length=None)
        own = builder.add_extension(authority, critical=True).sign(self._key, SHA256())
        self.pem = own.public_bytes(Encoding.PEM)

    def pair(
        self,
        common_name: str,
        *,
        address: str = "127.0.0.1",
        organization: str = "",
        lasting: tuple[timedelta, timedelta] = (-DAY, DAY),
    ) -> Pair:
        """A certificate for a server at an address, or for a user; it lasts from and to so long from now."""
        names = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
        if organization:
            names.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
        key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
        builder = self._builder(x509.Name(names), key.public_key(), now + lasting[0], now + lasting[1])
        alternative = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        signed = builder.add_extension(alternative, critical=False).sign(self._key, SHA256())
        return Pair(
            signed.public_bytes(Encoding.PEM),
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        )

    def _builder(
        self, name: x509.Name, key: ec.EllipticCurvePublicKey, start: datetime, end: datetime
    ) -> x509.CertificateBuilder:
        return x509.CertificateBuilder(self._name, name, key, x509.random_serial_number(), start, end)
