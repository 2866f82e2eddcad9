"""S/MIME and OpenPGP messages for the tests of this room, not made by what the gateway reads them with."""

from __future__ import annotations

import base64
import datetime
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID


@cache
def identity(name: str) -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
    key = rsa.generate_private_key(65537, 2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    made = (
        made.serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start.replace(year=2044))
    )
    return key, made.sign(key, hashes.SHA256())


def enveloped(*names: str) -> bytes:
    """CMS EnvelopedData for these people, DER."""
    builder = pkcs7.PKCS7EnvelopeBuilder().set_data(b"secret " * 400)
    for name in names:
        builder = builder.add_recipient(identity(name)[1])
    return builder.encrypt(serialization.Encoding.DER, [pkcs7.PKCS7Options.Binary])


def signed(entity: bytes, *, detached: bool = False) -> bytes:
    """CMS SignedData over a MIME entity, DER."""
    key, certificate = identity("signer")
    builder = pkcs7.PKCS7SignatureBuilder().set_data(entity).add_signer(certificate, key, hashes.SHA256())
    options = [pkcs7.PKCS7Options.Binary] + ([pkcs7.PKCS7Options.DetachedSignature] if detached else [])
    return builder.sign(serialization.Encoding.DER, options)


def pkesk(key: bytes, version: int = 3) -> bytes:
    """A session key packet (RFC 9580 5.1) in the new format; `key` has 8 octets (3) or 32 (6, b"": hidden)."""
    named = key if version == 3 else bytes([len(key) + 1, 6]) + key if key else b"\0"
    body = bytes([version]) + named + b"\1" + b"\0" * 260
    length = bytes([192 + ((len(body) - 192) >> 8), (len(body) - 192) & 0xFF])
    return b"\xc1" + length + body


def old_pkesk(key: bytes) -> bytes:
    """The same in the old format (RFC 9580 4.2.2)."""
    body = b"\3" + key + b"\1" + b"\0" * 260
    return b"\x85" + len(body).to_bytes(2) + body


ENCRYPTED = b"\xd2\xff" + b"\x5a" * 40
"""The start of an encrypted data packet of indefinite kind: readers stop at its type."""


def armoured(packets: bytes) -> str:
    body = base64.encodebytes(packets).decode()
    return f"-----BEGIN PGP MESSAGE-----\nVersion: x\n\n{body}=abcd\n-----END PGP MESSAGE-----\n"
