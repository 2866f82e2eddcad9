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
from dataclasses import dataclass, field, replace
from functools import lru_cache

from gateway.address import Address

SIZE = 32  # octets of one pseudonym


@dataclass(frozen=True, slots=True)
class Person:
    """Both pseudonyms of one address in one organisation, 32 octets each, in the newest layer.

    `blocking` is the one a new block is written under: wide where the domain says so, else exact. `layer` is the layer
    of both, None where the maker did not know it; `earlier` are (exact, wide) of the layers just below, oldest first,
    for rows that a rotation has not reached yet.
    """

    exact: bytes
    wide: bytes
    block_wide: bool = False
    layer: int | None = field(default=None, compare=False)
    earlier: tuple[tuple[bytes, bytes], ...] = field(default=(), compare=False)

    @property
    def blocking(self) -> bytes:
        return self.wide if self.block_wide else self.exact

    @property
    def every_exact(self) -> tuple[bytes, ...]:
        """The exact pseudonym in every layer there is, newest first: what old audit rows are found by."""
        return (self.exact, *(exact for exact, _ in reversed(self.earlier)))

    def at(self, layer: int) -> Person:
        """The same person as an older layer knows them. Raises `ValueError` where that is not at hand."""
        if layer == self.layer:
            return self
        place = -1 if self.layer is None else len(self.earlier) - (self.layer - layer)
        if not 0 <= place < len(self.earlier):
            raise ValueError(f"this person is not known in pseudonym layer {layer}")
        exact, wide = self.earlier[place]
        return Person(exact, wide, self.block_wide, layer, self.earlier[:place])

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
        exact, wide = map(self._layers, address.forms())
        blocks_wide = address.canonical_domain in self.wide_domains
        return Person(exact.pop(), wide.pop(), blocks_wide, self.version, tuple(zip(exact, wide, strict=True)))

    def nobody(self) -> Person:
        """Whom the opt-out is probed with: an address that nobody can have (RFC 6761 6.4), so always the same one."""
        return self.person(Address("opt-out-probe", "briefgeheim.invalid"))

    def people(self, addresses: Sequence[Address]) -> list[Person]:
        return [self.person(a) for a in addresses]

    def lift(self, pseudonym: bytes, version: int, to: int | None = None) -> bytes:
        """Bring a pseudonym of layer `version` to `to`, the newest by default (old tokens and rows keep working)."""
        to = self.version if to is None else to
        if not 0 <= version <= to <= self.version:
            raise ValueError(f"pseudonym layer {version} cannot be brought to {to}; newest key here is {self.version}")
        for key in self.keys[version + 1 : to + 1]:
            pseudonym = _hmac(key, pseudonym)
        return pseudonym

    def known_by(self, pseudonym: bytes, layer: int) -> Person:
        """The person a journal record or a link is about: one pseudonym, of `layer` and of every layer above it."""
        self.lift(pseudonym, layer)  # raises where a key is missing
        return self.brought(Person(pseudonym, pseudonym, layer=layer))

    def brought(self, person: Person) -> Person:
        """The same person in the newest layer, also when it was made before a key was added."""
        if person.layer is None:
            return replace(person, layer=self.version)
        if person.layer > self.version:
            return person.at(self.version)
        for layer in range(person.layer, self.version):
            exact, wide = (self.lift(p, layer, layer + 1) for p in (person.exact, person.wide))
            earlier = (*person.earlier, (person.exact, person.wide))
            person = Person(exact, wide, person.block_wide, layer + 1, earlier)
        return person

    def check_value(self, layer: int | None = None) -> bytes:
        """Proves which keys a registry was made with, without telling them (I-13); `layer`: as it was in that one."""
        return self._layers(b"briefgeheim registry key check")[self.version if layer is None else layer]

    def _layers(self, canonical: bytes) -> list[bytes]:
        """The pseudonym in every layer, oldest first."""
        values = [_hmac(self.keys[0], canonical)]
        for key in self.keys[1:]:
            values.append(_hmac(key, values[-1]))
        return values


def _hmac(key: bytes, value: bytes) -> bytes:
    # Not hmac.digest: it hands the interpreter to another thread for a microsecond's work, and waits to get it back.
    keyed = _keyed(key).copy()
    keyed.update(value)
    return keyed.digest()


@lru_cache(maxsize=256)
def _keyed(key: bytes) -> hmac.HMAC:
    return hmac.new(key, digestmod=hashlib.sha256)
