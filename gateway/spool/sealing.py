"""One key per message, and the service key that wraps it.

what:       AES-256-GCM over body, message values and row values; wrapping of the message key
takes→gives: plain values → sealed bytes, bound to message, kind and row, and back
knows not:  where sealed bytes are kept
fails by:   `SealBroken`
standard:   NIST SP 800-38D; S-01, DESIGN §4 Spool

Nonces. A message key seals its body and its message values once each, under fixed nonces of their own; row values,
which can be written again, take 88 random bits. The first octet is the kind, so that kinds never meet. The service key
wraps with random 96-bit nonces: SP 800-38D 8.3 bounds that at 2^32 messages per service key; then a new id is due.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_SIZE = 32
_NONCE = 12
_TAG = 16
WRAPPED_SIZE = _NONCE + KEY_SIZE + _TAG

_BODY, _MESSAGE, _ROW = b"\x00", b"\x01", b"\x02"
_PURPOSE = b"briefgeheim spool 1"
_ENCODER = json.JSONEncoder(separators=(",", ":"))  # json.dumps would build one for every value


class SealBroken(Exception):
    """The bytes are not what was sealed, or the key is gone. Says which part, never what it held."""


def new_key() -> bytes:
    return os.urandom(KEY_SIZE)


class MessageSeal:
    """Seals and opens the parts of one message under its own key."""

    __slots__ = ("_cipher", "_message")

    def __init__(self, message: str, key: bytes) -> None:
        self._message = message.encode()
        self._cipher = AESGCM(key)

    def body(self, plain: bytes) -> bytes:
        """Once per key: the nonce is fixed."""
        return self._cipher.encrypt(_fixed(_BODY), plain, self._bound(_BODY))

    def open_body(self, sealed: bytes) -> bytes:
        return self._open(_fixed(_BODY), sealed, self._bound(_BODY), "body")

    def values(self, plain: Mapping[str, object]) -> bytes:
        """The message's own values. Once per key: the nonce is fixed."""
        return self._cipher.encrypt(_fixed(_MESSAGE), _encode(plain), self._bound(_MESSAGE))

    def open_values(self, sealed: bytes) -> Mapping[str, object]:
        return _decode(self._open(_fixed(_MESSAGE), sealed, self._bound(_MESSAGE), "message values"))

    def row(self, number: int, plain: Mapping[str, object]) -> bytes:
        """Values of row `number` of this message, counted from 0. May be sealed again."""
        nonce = _ROW + os.urandom(_NONCE - 1)
        return nonce + self._cipher.encrypt(nonce, _encode(plain), self._bound(_ROW, number))

    def open_row(self, number: int, sealed: bytes) -> Mapping[str, object]:
        plain = self._open(sealed[:_NONCE], sealed[_NONCE:], self._bound(_ROW, number), "row values")
        return _decode(plain)

    def _open(self, nonce: bytes, sealed: bytes, bound: bytes, what: str) -> bytes:
        try:
            return self._cipher.decrypt(nonce, sealed, bound)
        except (InvalidTag, ValueError):
            raise SealBroken(f"{what}: seal does not fit") from None

    def _bound(self, kind: bytes, number: int = 0) -> bytes:
        return b"%b %b%d %b" % (_PURPOSE, kind, number, self._message)


class ServiceKeys:
    """The spool's keys by id (1..2^32-1), 32 octets each; the highest wraps, all unwrap."""

    def __init__(self, keys: Mapping[int, bytes]) -> None:
        if not keys or any(not 1 <= i < 2**32 or len(k) != KEY_SIZE for i, k in keys.items()):
            raise ValueError("spool keys: at least one, ids from 1, 32 octets each")
        self._ciphers = {i: AESGCM(k) for i, k in keys.items()}
        self._checks = {i: hmac.digest(k, _PURPOSE + b" key check", hashlib.sha256)[:16] for i, k in keys.items()}
        self.newest = max(keys)

    @property
    def checks(self) -> Mapping[int, bytes]:
        """16 octets per id that prove which key it is without telling it."""
        return self._checks

    def wrap(self, message: str, key: bytes) -> bytes:
        """`WRAPPED_SIZE` octets, under the newest service key."""
        nonce = os.urandom(_NONCE)
        return nonce + self._ciphers[self.newest].encrypt(nonce, key, _wrapping(message))

    def unwrap(self, message: str, key_id: int, wrapped: bytes) -> bytes:
        """The message key. Raises `SealBroken`."""
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise SealBroken(f"message key: wrapped by service key {key_id}, which is not here")
        try:
            return cipher.decrypt(wrapped[:_NONCE], wrapped[_NONCE:], _wrapping(message))
        except (InvalidTag, ValueError):
            raise SealBroken("message key: seal does not fit") from None


def _wrapping(message: str) -> bytes:
    return _PURPOSE + b" key " + message.encode()


def _fixed(kind: bytes) -> bytes:
    return kind + bytes(_NONCE - 1)


def to_json(plain: Mapping[str, object]) -> str:
    """Compact JSON, in ASCII."""
    return _ENCODER.encode(plain)


def _encode(plain: Mapping[str, object]) -> bytes:
    return _ENCODER.encode(plain).encode()


def _decode(plain: bytes) -> Mapping[str, object]:
    value: Mapping[str, object] = json.loads(plain)
    return value
