"""Machine owner keys: pairs that fit, and every kind that does not; secrets and where they are found."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from gpufleet.errors import GpufleetError
from gpufleet.options.mok import pair
from gpufleet.options.secret import Secret

WHERE = "nvidia_driver.secure_boot"
DAY = datetime.datetime(2026, 11, 1)


def made(name: str = "Fleet key") -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    """A key and its certificate; elliptic curves are made in no time."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), 1, DAY, DAY + datetime.timedelta(days=9))
    return key, builder.sign(key, SHA256())


def written(key: ec.EllipticCurvePrivateKey, lock: KeySerializationEncryption | None = None) -> bytes:
    """A key in PEM."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock or NoEncryption())


@pytest.mark.parametrize("form", [Encoding.PEM, Encoding.DER])
def test_pair(form: Encoding) -> None:
    key, certificate = made()
    found = pair(written(key), certificate.public_bytes(form), WHERE)
    assert (found.signer, found.certificate) == ("Fleet key", certificate.public_bytes(Encoding.DER))
    assert found.key == written(key)
    assert "PRIVATE" not in repr(found)


def test_halves_of_different_pairs() -> None:
    with pytest.raises(GpufleetError) as caught:
        pair(written(made()[0]), made()[1].public_bytes(Encoding.DER), WHERE)
    assert str(caught.value) == (
        f"{WHERE}.mok_key: expected the private key of mok_certificate, found the key of another certificate; "
        "give the two files that were made together"
    )


def test_certificate_that_is_none() -> None:
    with pytest.raises(GpufleetError) as caught:
        pair(written(made()[0]), b"hello", WHERE)
    assert str(caught.value) == (
        f"{WHERE}.mok_certificate: expected an X.509 certificate in PEM or DER, found something else; "
        "give the file that `mokutil --import` took"
    )


@pytest.mark.parametrize("content", [b"hello", written(made()[0], BestAvailableEncryption(b"password"))])
def test_key_that_is_none_or_has_a_password(content: bytes) -> None:
    with pytest.raises(GpufleetError) as caught:
        pair(content, made()[1].public_bytes(Encoding.DER), WHERE)
    assert str(caught.value) == (
        f"{WHERE}.mok_key: expected a private key without a password, found something else, or a key with a "
        "password; take the password off a copy of it that only this controller can read"
    )


def test_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_bytes(b"from a file")
    monkeypatch.setenv("KEY", "from the environment")
    assert Secret(file=tmp_path / "key").read(WHERE) == b"from a file"
    assert Secret(env="KEY").read(WHERE) == b"from the environment"
    assert Secret(command=("echo", "from a command")).read(WHERE) == b"from a command\n"


UNREADABLE = {
    "file": (Secret(file=Path("/nowhere")), "file /nowhere, found no such file or directory; put it there, or correct"),
    "env": (Secret(env="GPUFLEET_NO_SUCH"), "environment variable GPUFLEET_NO_SUCH, found it not set; set it and run"),
    "command": (Secret(command=("false",)), "command false, found exit status 1; run it by hand to see why"),
    "no command": (Secret(command=("/no/such",)), "command /no/such, found FileNotFoundError; run it by hand to see"),
}


@pytest.mark.parametrize(("secret", "text"), UNREADABLE.values(), ids=UNREADABLE)
def test_unreadable_secrets(secret: Secret, text: str) -> None:
    with pytest.raises(GpufleetError) as caught:
        secret.read(WHERE)
    assert str(caught.value).startswith(f"{WHERE}: expected a secret from {text}")
