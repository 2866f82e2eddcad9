"""Mail addresses that never print themselves.

what:       one addr-spec as a value; its canonical forms, exact and wide
takes→gives: text or SMTP bytes → `Address`; `Address` → canonical bytes for a pseudonym
knows not:  keys of an organisation, who the person is, where the address came from
fails by:   `InvalidAddress`, without the address in its text
standard:   RFC 5321 4.1.2, RFC 6531, RFC 5890/UTS 46; L-36
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
import secrets
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import idna
from email_validator import EmailNotValidError, validate_email

CANONICAL_VERSION = 1

# Printing uses a key of this process: two log lines of one run can be joined, nothing outside it can.
_PRINT_KEY = secrets.token_bytes(16)


class InvalidAddress(ValueError):
    """The text is not one usable addr-spec. The message says why and never repeats the address."""


@dataclass(frozen=True, slots=True)
class Address:
    """One mailbox address as received: `local` and `domain` keep the sender's spelling.

    `str`, `repr` and `format` give a keyed mark, never the address (invariant I-7). `reveal()` is the one way out.
    """

    local: str
    domain: str

    @classmethod
    def parse(cls, text: str) -> Address:
        """Parse an addr-spec as SMTP carries it (no angle brackets). Raises `InvalidAddress`."""
        return _parse(text)

    def reveal(self) -> str:
        """The address itself. Only for the wire, sealed storage and a person allowed to see it."""
        return f"{self.local}@{self.domain}" if self.domain else self.local

    @property
    def ascii_only(self) -> bool:
        """Whether the address needs no SMTPUTF8 (RFC 6531)."""
        return self.local.isascii() and self.domain.isascii()

    @property
    def is_postmaster(self) -> bool:
        """RFC 5321 4.5.1: `postmaster` in any case, with or without a domain."""
        return self.local.lower() == "postmaster"

    @property
    def canonical_domain(self) -> str:
        """The domain as lower-case A-label, without a trailing dot."""
        return _canonical_domain(self.domain)

    def exact(self) -> bytes:
        """Canonical form, version 1: NFC, local part in simple lower case, domain as A-label (L-36)."""
        return self.forms()[0]

    def wide(self) -> bytes:
        """As `exact`, plus-tag and dots of the local part removed. Only for blocking."""
        return self.forms()[1]

    def forms(self) -> tuple[bytes, bytes]:
        """`exact` and `wide` at the price of one."""
        return _forms(self.local, self.domain)

    def __str__(self) -> str:
        mark = hmac.new(_PRINT_KEY, self.exact(), hashlib.sha256).hexdigest()
        return f"person-{mark[:12]}"

    __repr__ = __str__

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)


@lru_cache(maxsize=2048)  # of one mail the same few are asked for some thirty times
def _forms(local: str, domain: str) -> tuple[bytes, bytes]:
    local, domain = _simple_lower(_unquoted(local)), _canonical_domain(domain)
    # "+tag@" alone names nobody: without this all such addresses of a domain would be one person.
    bare = local.split("+", 1)[0].replace(".", "") or local
    return f"1e:{local}@{domain}".encode(), f"1w:{bare}@{domain}".encode()


def _simple_lower(text: str) -> str:
    if text.isascii():
        return text.strip().lower()
    # Simple lower case keeps weiß and weiss two people; casefold would merge them.
    return unicodedata.normalize("NFC", "".join(_lower_one(c) for c in unicodedata.normalize("NFC", text.strip())))


def _lower_one(char: str) -> str:
    if char == "ς":
        return "σ"  # written so only at the end of a word, and written Σ in capitals: one letter, one person
    low = char.lower()
    return low if len(low) == 1 else char


def _unquoted(local: str) -> str:
    if len(local) >= 2 and local[0] == local[-1] == '"':
        return re.sub(r"\\(.)", r"\1", local[1:-1])
    return local


@lru_cache(maxsize=4096)
def _canonical_domain(domain: str) -> str:
    bare = domain.strip().rstrip(".")
    if not bare or bare.startswith("["):
        return _canonical_literal(bare.lower())
    try:
        return idna.encode(bare, uts46=True, transitional=False).decode().lower()
    except idna.IDNAError:
        return unicodedata.normalize("NFC", bare).lower()


def _canonical_literal(literal: str) -> str:
    """RFC 5321 4.1.3; an IPv6 address has many spellings and one of RFC 5952."""
    if not literal.startswith("[ipv6:"):
        return literal
    try:
        return f"[ipv6:{ipaddress.IPv6Address(literal[6:-1])}]"
    except ValueError:
        return literal


# Dot-atom, at sign, host name without a dot at its end: what nearly every address looks like. Whether such a domain may
# be one is asked once per domain, of the long way, with a local part that is always right.
_PLAIN = re.compile(
    r"([a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*)@([a-z0-9.-]*[a-z0-9])", re.A | re.I
)
_PLAIN_LENGTH = 254


@lru_cache(maxsize=8192)
def _parse(text: str) -> Address:
    plain = _PLAIN.fullmatch(text)
    if plain is not None and len(text) <= _PLAIN_LENGTH and _usable_domain(plain[2]):
        return Address(plain[1], plain[2])
    return _parse_any(text)


@lru_cache(maxsize=4096)
def _usable_domain(domain: str) -> bool:
    try:
        _parse_any(f"a@{domain}")
    except InvalidAddress:
        return False
    return True


def _parse_any(text: str) -> Address:
    if text.lower() == "postmaster":
        return Address(text, "")
    # A lone surrogate stands for an octet that is not UTF-8 (RFC 6531 3.3): it has no canonical form.
    if any(c in "\r\n\0" or "\ud800" <= c <= "\udfff" for c in text) or len(text.encode()) > 254 + 64:
        raise InvalidAddress("an address holds a control character or is over the limits of RFC 5321 4.5.3.1")
    try:
        validate_email(
            text.removesuffix("."),  # a trailing dot is the same domain, fully qualified
            check_deliverability=False,
            allow_quoted_local=True,
            allow_domain_literal=True,
            allow_smtputf8=True,
            test_environment=True,
        )
    except EmailNotValidError as error:
        raise InvalidAddress(_reason(error)) from None
    local, _, domain = text.rpartition("@")
    return Address(local, domain)


def _reason(error: EmailNotValidError) -> str:
    return "not a valid addr-spec (RFC 5321 4.1.2): " + type(error).__name__
