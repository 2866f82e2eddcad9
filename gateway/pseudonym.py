"""Keyed, layered pseudonyms of one organisation (DESIGN §4, People).

what:       P0 = HMAC-SHA-256(K0, canonical), Pn = HMAC(Kn, Pn-1); exact and wide
takes→gives: `Address` → `Person`; a pseudonym of an older layer → the newest
knows not:  a database, who asks
fails by:   `ValueError` on a layer that has no key
standard:   L-12, L-34, L-36
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from gateway.address import Address

SIZE = 32  # octets of one pseudonym


@dataclass(frozen=True, slots=True)
class Person:
    """Both pseudonyms of one address in one organisation, 32 octets each, in the newest layer.

    `blocking` is the one a new block is written under: wide where the domain says so, else exact.
    """

    exact: bytes
    wide: bytes
    block_wide: bool = False

    @property
    def blocking(self) -> bytes:
        return self.wide if self.block_wide else self.exact

    def __repr__(self) -> str:
        return f"Person({self.exact[:6].hex()})"


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """The pseudonym keys of one organisation, oldest first (32 octets each), and the domains that block wide."""

    keys: tuple[bytes, ...]
    wide_domains: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if not self.keys or any(len(k) < 32 for k in self.keys):
            raise ValueError("pseudonym keys: at least one, each of 32 octets or more")

    @property
    def version(self) -> int:
        """The newest layer, counted from 0. Stored in tokens and rows."""
        return len(self.keys) - 1

    def person(self, address: Address) -> Person:
        return Person(
            self._of(address.exact()), self._of(address.wide()), address.canonical_domain in self.wide_domains
        )

    def people(self, addresses: Sequence[Address]) -> list[Person]:
        return [self.person(a) for a in addresses]

    def lift(self, pseudonym: bytes, version: int) -> bytes:
        """Bring a pseudonym of layer `version` to the newest layer (old tokens and rows keep working)."""
        if not 0 <= version <= self.version:
            raise ValueError(f"pseudonym layer {version} has no key here; newest is {self.version}")
        for key in self.keys[version + 1 :]:
            pseudonym = _hmac(key, pseudonym)
        return pseudonym

    def check_value(self) -> bytes:
        """Proves which keys a registry was made with, without telling them (I-13)."""
        return self._of(b"briefgeheim registry key check")

    def _of(self, canonical: bytes) -> bytes:
        value = _hmac(self.keys[0], canonical)
        return self.lift(value, 0)


def _hmac(key: bytes, value: bytes) -> bytes:
    # Not hmac.digest: it hands the interpreter to another thread for a microsecond's work, and waits to get it back.
    keyed = _keyed(key).copy()
    keyed.update(value)
    return keyed.digest()


@lru_cache(maxsize=256)
def _keyed(key: bytes) -> hmac.HMAC:
    return hmac.new(key, digestmod=hashlib.sha256)
