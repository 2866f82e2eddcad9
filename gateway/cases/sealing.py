"""One key per case and per mail, and the organisation's key that wraps it.

what:       AES-256-GCM over content, notes, papers and mail, bound to what they belong to
takes→gives: plain octets → sealed octets and back
knows not:  where sealed octets are kept, what they say
fails by:   `SealBroken`
standard:   NIST SP 800-38D; DESIGN §4 People; I-7

Every seal has 96 random bits of nonce. Deleting the wrapped key of a case makes all of it unreadable at once.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_SIZE = 32
_NONCE = 12


class SealBroken(Exception):
    """The octets are not what was sealed, or the key is gone. Says which part, never what it held."""


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A data key as it is stored: under which key of the organisation, and sealed by it."""

    key_id: int
    sealed: bytes = field(repr=False)


class Seal:
    """Seals and opens what belongs to one case, mail or breach; `owner` binds it there."""

    __slots__ = ("_cipher", "_owner")

    def __init__(self, owner: str, key: bytes) -> None:
        self._owner = owner
        self._cipher = AESGCM(key)

    def close(self, kind: str, plain: bytes) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, plain, _bound(kind, self._owner))

    def open(self, kind: str, sealed: bytes) -> bytes:
        """Raises `SealBroken`."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], _bound(kind, self._owner))
        except (InvalidTag, ValueError):
            raise SealBroken(f"{kind} of {self._owner}: seal does not fit") from None


class CaseKeys:
    """The organisation's keys by id, 32 octets each; the highest wraps, all unwrap."""

    def __init__(self, organisation: str, keys: Mapping[int, bytes]) -> None:
        if not keys or any(i < 1 or len(k) != KEY_SIZE for i, k in keys.items()):
            raise ValueError("case keys: at least one, ids from 1, 32 octets each")
        self.organisation = organisation
        self._ciphers = {i: AESGCM(k) for i, k in keys.items()}
        self.newest = max(keys)

    def new(self, owner: str) -> tuple[Wrapped, Seal]:
        """A fresh data key for `owner`, wrapped under the newest key."""
        key = os.urandom(KEY_SIZE)
        return self._wrap(owner, key), Seal(owner, key)

    def seal(self, owner: str, wrapped: Wrapped) -> Seal:
        """Raises `SealBroken`."""
        return Seal(owner, self._unwrap(owner, wrapped))

    def again(self, owner: str, wrapped: Wrapped) -> Wrapped:
        """The same data key under the newest key (rotation). Raises `SealBroken`."""
        return self._wrap(owner, self._unwrap(owner, wrapped))

    def _wrap(self, owner: str, key: bytes) -> Wrapped:
        nonce = os.urandom(_NONCE)
        return Wrapped(self.newest, nonce + self._ciphers[self.newest].encrypt(nonce, key, self._wrapping(owner)))

    def _unwrap(self, owner: str, wrapped: Wrapped) -> bytes:
        cipher = self._ciphers.get(wrapped.key_id)
        if cipher is None:
            raise SealBroken(f"{owner}: sealed under key {wrapped.key_id}, which is not here")
        try:
            return cipher.decrypt(wrapped.sealed[:_NONCE], wrapped.sealed[_NONCE:], self._wrapping(owner))
        except (InvalidTag, ValueError):
            raise SealBroken(f"{owner}: seal does not fit") from None

    def _wrapping(self, owner: str) -> bytes:
        return _bound(f"key of {self.organisation}", owner)


def _bound(kind: str, owner: str) -> bytes:
    return f"briefgeheim cases 1 {kind} {owner}".encode()
