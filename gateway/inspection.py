"""What was found in the content of a mail, and what could not be looked into. Kinds and places, never values.

what:       `Item` (one part to look into), `Finding`, `Unread`, `Inspection`, `mark`
takes→gives: made by `documents`, read by filters and conductors
knows not:  how anything is read, what follows from a finding
fails by:   nothing
standard:   S-11, S-53; I-1, I-7; R-050
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.address import Address

MOST = 5_000
"""Values looked at in one part; who has more of them has the data of many by any measure."""


class Kind(StrEnum):
    """A kind of personal data that more than a name gives away (S-11)."""

    EMAIL = "email"
    PHONE = "phone"
    POSTCODE = "postcode"
    STREET = "street"
    BIRTH_DATE = "birth-date"
    BSN = "bsn"


@dataclass(frozen=True, slots=True)
class Item:
    """One leaf part with something to look into: its path, file name ("" without), media type and decoded content."""

    part: str
    name: str
    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something personal: `where` for people ("part 1.2, sheet 1, row 4, column C"), `mark` tells two values of one
    mail apart without being one (equal values, equal marks; keyed anew for each mail). `listed`: it stands in a list or
    table of people, not in running text."""

    kind: Kind
    where: str
    mark: bytes = field(repr=False)
    listed: bool = False


@dataclass(frozen=True, slots=True)
class Unread:
    """A part that nobody could look into, and why: a password, damage, a limit, an unknown format."""

    part: str
    why: str


@dataclass(frozen=True, slots=True)
class Inspection:
    """`addresses` are those in parts that the leak check does not read itself, with their places (I-1); `key` is what
    the marks are made with, so that who holds a value can tell whether it is among the findings; `crowded` are parts
    with more than `MOST` values, whose rest was not looked at; `worded` are those in which a word stands that was
    asked for."""

    findings: Sequence[Finding] = ()
    addresses: Mapping[Address, tuple[str, ...]] = field(default_factory=dict)
    unread: Sequence[Unread] = ()
    key: bytes = field(default=b"", repr=False)
    crowded: Sequence[str] = ()
    worded: Sequence[str] = ()


NOTHING = Inspection()


def mark(key: bytes, kind: Kind, value: str) -> bytes:
    """The mark of a value in its canonical form, under the key of one inspection (at most 64 octets)."""
    return hashlib.blake2b(f"{kind}:{value}".encode("utf-8", "surrogatepass"), key=key, digest_size=8).digest()
