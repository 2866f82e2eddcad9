"""What a client proves itself with: generated, stored as a digest, checked.

what:       generated secrets (≥ 128 bits, fast keyed hash) and chosen passwords (argon2)
takes→gives: presented octets and the stored form → right or wrong
knows not:  clients, files, SMTP
fails by:   `ValueError` for a stored form that is neither
standard:   DESIGN §4 Client secrets; RFC 9106; S-26
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

_BITS = 192
_SALT = 16  # octets
_KIND = "sha256"
_ARGON2 = ("$argon2id$", "$argon2i$", "$argon2d$")


def new_secret() -> tuple[str, str]:
    """A new secret (32 URL-safe characters, 192 bits) and its stored form `sha256:SALT:DIGEST`."""
    secret = secrets.token_urlsafe(_BITS // 8)
    while not secret[0].isalnum():  # "-7eK…" would be an option to the command line tools it is pasted into
        secret = secrets.token_urlsafe(_BITS // 8)
    return secret, digest(secret, secrets.token_bytes(_SALT))


def digest(secret: str, salt: bytes) -> str:
    """Stored form of a generated secret. Fast on purpose: nobody can try 2^128 secrets, and logins cost nothing."""
    return f"{_KIND}:{_text(salt)}:{_text(_hash(salt, secret.encode()))}"


def check_stored(stored: str) -> None:
    """Raise `ValueError` unless `stored` is a digest or an argon2 string."""
    if stored.startswith(_ARGON2):
        return
    try:
        _parts(stored)
    except (ValueError, binascii.Error):
        raise ValueError("neither sha256:SALT:DIGEST nor an argon2 string") from None


def check_secret(stored: str, presented: str | bytes) -> bool:
    """Whether `presented` is the secret. argon2 takes about 0.1 s and 64 MiB: call it behind a bounded cache."""
    octets = presented.encode() if isinstance(presented, str) else presented
    if stored.startswith(_ARGON2):
        return _argon2(stored, octets)
    try:
        salt, wanted = _parts(stored)
    except (ValueError, binascii.Error):
        return False
    return hmac.compare_digest(_hash(salt, octets), wanted)


def _argon2(stored: str, octets: bytes) -> bool:
    try:
        return PasswordHasher().verify(stored, octets)
    except (VerificationError, ValueError):  # InvalidHashError is a ValueError
        return False


def _hash(salt: bytes, octets: bytes) -> bytes:
    return hmac.digest(salt, octets, hashlib.sha256)


def _text(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def _parts(stored: str) -> tuple[bytes, bytes]:
    kind, salt, wanted = stored.split(":")
    found = [base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True) for part in (salt, wanted)]
    if kind != _KIND or len(found[0]) < _SALT or len(found[1]) != hashlib.sha256().digest_size:
        raise ValueError("malformed")
    return found[0], found[1]
