"""Machine owner keys: the certificate that firmware knows, and the private key that signs kernel modules."""

from __future__ import annotations

from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from gpufleet.errors import GpufleetError

_PEM = b"-----BEGIN"


@dataclass(frozen=True)
class MachineOwnerKey:
    """A key pair to sign with; its private half is kept out of every text made of it."""

    #: The certificate in DER, as mokutil, sign-file and kmodsign read it.
    certificate: bytes
    #: The private key in PEM, without a password.
    key: bytes = field(repr=False)
    #: Common name of the certificate: what `modinfo -F signer` prints of a module signed with this key.
    signer: str = ""
    #: SHA-1 fingerprint of the certificate, lowercase, by which the firmware's list is searched.
    fingerprint: str = ""


def pair(key: bytes, certificate: bytes, where: str) -> MachineOwnerKey:
    """Read a key without a password and its certificate, PEM or DER, and refuse halves of different pairs."""
    parsed, private = _certificate(certificate, where), _private(key, where)
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if private.public_key().public_bytes(*form) != parsed.public_key().public_bytes(*form):
        raise GpufleetError(
            f"{where}.mok_key",
            expected="the private key of mok_certificate",
            found="the key of another certificate",
            cure="give the two files that were made together",
        )
    names = parsed.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return MachineOwnerKey(
        parsed.public_bytes(Encoding.DER),
        pem,
        signer=str(names[0].value) if names else "",
        fingerprint=parsed.fingerprint(SHA1()).hex(),  # noqa: S303  # mokutil's name of it, no matter of security
    )


def _certificate(content: bytes, where: str) -> x509.Certificate:
    try:
        return (x509.load_pem_x509_certificate if _PEM in content else x509.load_der_x509_certificate)(content)
    except ValueError:
        raise GpufleetError(
            f"{where}.mok_certificate",
            expected="an X.509 certificate in PEM or DER",
            found="something else",
            cure="give the file that `mokutil --import` took",
        ) from None


def _private(content: bytes, where: str) -> PrivateKeyTypes:
    try:
        return (load_pem_private_key if _PEM in content else load_der_private_key)(content, password=None)
    except (ValueError, TypeError):
        raise GpufleetError(
            f"{where}.mok_key",
            expected="a private key without a password",
            found="something else, or a key with a password",
            cure="take the password off a copy of it that only this controller can read",
        ) from None
