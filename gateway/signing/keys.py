"""DKIM key pairs and the DNS record that publishes one.

takes→gives: nothing → PEM; PEM, domain, selector → owner name and TXT data
knows not:  where keys are kept
fails by:   `ValueError` for a PEM that is no RSA key
standard:   RFC 6376 3.6.1, 3.6.2; RFC 8301 3.2; R-086, R-091
"""

from __future__ import annotations

import base64

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

BITS = 2048  # what every verifier must take and every DNS zone can hold (RFC 8301 3.2)
_STRING = 255  # octets of one character-string in TXT data (RFC 1035 3.3)


def generate() -> bytes:
    """A new RSA-2048 private key, PKCS #8 in PEM, not encrypted."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=BITS)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def dns_record(pem: bytes, domain: str, selector: str) -> tuple[str, str]:
    """Owner name and TXT data in zone-file form, split in quoted strings of at most 255 octets (R-091)."""
    name, text = dns_value(pem, domain, selector)
    strings = [text[i : i + _STRING] for i in range(0, len(text), _STRING)]
    return name, " ".join(f'"{s}"' for s in strings)


def dns_value(pem: bytes, domain: str, selector: str) -> tuple[str, str]:
    """Owner name and TXT value in one piece, as a verifier reads it after joining the strings."""
    return f"{selector}._domainkey.{domain}", f"v=DKIM1; k=rsa; p={_public(pem)}"


def _public(pem: bytes) -> str:
    key = load_pem_private_key(pem, password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("not an RSA key")
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()
