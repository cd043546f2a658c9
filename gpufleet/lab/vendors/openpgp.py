"""The lab's OpenPGP key (RFC 9580, version 4 packets, RSA): it signs what NVIDIA's key signs in reality."""

from __future__ import annotations

import base64
import hashlib
import struct
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from gpufleet.lab import state
from gpufleet.lab.vendors.package import TIMESTAMP

USER = b"gpufleet lab vendors <lab@gpufleet.invalid>"
RSA, SHA512 = 1, 10
#: Kinds of signature: over bytes, over text with canonical line ends, over a key and its user.
BINARY, TEXT, CERTIFICATION = 0x00, 0x01, 0x13
#: Kinds of packet.
SIGNATURE, PUBLIC_KEY, USER_ID = 2, 6, 13
#: What the key may do: certify and sign.
FLAGS = b"\x03"


@dataclass(frozen=True)
class Key:
    """A private key with everything that its OpenPGP form needs."""

    private: RSAPrivateKey

    @cached_property
    def body(self) -> bytes:
        """Body of the public key packet."""
        numbers = self.private.public_key().public_numbers()
        return b"\x04" + struct.pack(">IB", TIMESTAMP, RSA) + mpi(numbers.n) + mpi(numbers.e)

    @cached_property
    def fingerprint(self) -> str:
        """Fingerprint, 40 upper-case hexadecimal digits."""
        return hashlib.sha1(hashed_key(self.body), usedforsecurity=False).hexdigest().upper()

    def public(self) -> bytes:
        """The certificate: public key, user and self-signature."""
        user = packet(USER_ID, USER)
        signed = hashed_key(self.body) + b"\xb4" + struct.pack(">I", len(USER)) + USER
        return packet(PUBLIC_KEY, self.body) + user + self.signature(CERTIFICATION, signed, FLAGS)

    def armored(self) -> bytes:
        """The certificate as text."""
        return armor("PUBLIC KEY BLOCK", self.public())

    def sign(self, data: bytes) -> bytes:
        """A detached signature over bytes."""
        return self.signature(BINARY, data)

    def clearsign(self, text: str) -> bytes:
        """Text with its signature below it, as InRelease has it."""
        lines = [line.rstrip(" \t") for line in text.rstrip("\n").split("\n")]
        signature = self.signature(TEXT, "\r\n".join(lines).encode())
        shown = "".join(f"- {line}\n" if line.startswith("-") else f"{line}\n" for line in lines)
        head = f"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n{shown}"
        return head.encode() + armor("SIGNATURE", signature)

    def signature(self, kind: int, data: bytes, flags: bytes = b"") -> bytes:
        """A version 4 signature packet."""
        print_ = bytes.fromhex(self.fingerprint)
        hashed = subpacket(33, b"\x04" + print_) + subpacket(2, struct.pack(">I", TIMESTAMP))
        hashed += subpacket(27, flags) if flags else b""
        head = struct.pack(">BBBBH", 4, kind, RSA, SHA512, len(hashed)) + hashed
        total = data + head + b"\x04\xff" + struct.pack(">I", len(head))
        number = int.from_bytes(self.private.sign(total, padding.PKCS1v15(), hashes.SHA512()), "big")
        loose = subpacket(16, print_[-8:])
        quick = hashlib.sha512(total).digest()[:2]
        return packet(SIGNATURE, head + struct.pack(">H", len(loose)) + loose + quick + mpi(number))


def ensure(path: Path) -> Key:
    """The key kept in a file, made where there is none."""
    with state.locked(path.with_suffix(".lock")):
        if not path.is_file():
            private = generate_private_key(public_exponent=65537, key_size=3072)
            encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
            text = private.private_bytes(encoding, form, serialization.NoEncryption()).decode()
            state.write(path, text, 0o600)
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError(f"{path} holds no RSA key")
    return Key(key)


def mpi(number: int) -> bytes:
    """A number with its length in bits."""
    bits = number.bit_length()
    return struct.pack(">H", bits) + number.to_bytes((bits + 7) // 8, "big")


def length(count: int) -> bytes:
    """Length of a packet or subpacket of the new format."""
    if count < 192:
        return bytes([count])
    return struct.pack(">H", count - 192 + 0xC000) if count < 8384 else b"\xff" + struct.pack(">I", count)


def packet(tag: int, body: bytes) -> bytes:
    """A packet of the new format."""
    return bytes([0xC0 | tag]) + length(len(body)) + body


def subpacket(kind: int, body: bytes) -> bytes:
    """A subpacket of a signature."""
    return length(len(body) + 1) + bytes([kind]) + body


def hashed_key(body: bytes) -> bytes:
    """The key as fingerprints and certifications hash it."""
    return b"\x99" + struct.pack(">H", len(body)) + body


def armor(kind: str, data: bytes) -> bytes:
    """Bytes as text between header lines, with the checksum that older readers want."""
    text = base64.b64encode(data).decode()
    lines = "\n".join(text[start : start + 64] for start in range(0, len(text), 64))
    check = base64.b64encode(crc24(data).to_bytes(3, "big")).decode()
    return f"-----BEGIN PGP {kind}-----\n\n{lines}\n={check}\n-----END PGP {kind}-----\n".encode()


def crc24(data: bytes) -> int:
    """Checksum of an armored text."""
    value = 0xB704CE
    for byte in data:
        value ^= byte << 16
        for _ in range(8):
            value = (value << 1) ^ (0x1864CFB if value & 0x800000 else 0)
    return value & 0xFFFFFF
