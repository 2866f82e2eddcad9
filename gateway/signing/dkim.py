"""DKIM signatures over the bytes that leave, oversigned, one key per From domain.

what:       `Signer`: one domain, selector and RSA key, parsed once
takes→gives: a whole message → its `DKIM-Signature` field, to be put in front
knows not:  what was edited, who receives, which provider carries it (only that provider's profile)
fails by:   `ValueError` for a key that may not sign (not RSA, under 2048 bits)
standard:   RFC 6376 3.5, 3.7, 5.4, 8.2, 8.15; RFC 8301 3.1, 3.2; R-084..R-089, R-092
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gateway.signing.canonical import relaxed_pieces, relaxed_value, split

MIN_BITS = 2048

# Each is named once more than it is present, so that adding one later breaks the signature (RFC 6376 8.15).
# Not here: Received, Return-Path and what receivers add (RFC 6376 5.4).
SIGNED = (
    "from",
    "to",
    "cc",
    "subject",
    "date",
    "reply-to",
    "message-id",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
    "list-unsubscribe",
    "list-unsubscribe-post",
    "list-id",
    "list-help",
    "list-subscribe",
    "list-post",
    "list-owner",
    "list-archive",
)

# Signed where present, and no more: servers on the way add fields of these names to mail of others.
WHERE_PRESENT = ("x-auto-response-suppress",)

_COUNTED = frozenset(name.encode() for name in (*SIGNED, *WHERE_PRESENT))

# Fields that a provider rewrites after us; signing them would break on the way (DESIGN §4, Signing).
REWRITTEN: dict[str, frozenset[str]] = {
    "plain": frozenset(),
    "ses": frozenset({"message-id", "date"}),
}

_LINE = 76  # octets of one folded line of the field (RFC 5322 2.1.1: at most 78)
_SHA256 = SHA256()
_PADDING = PKCS1v15()


class Signer:
    """Signs for one domain. Holds a parsed key; shows neither key nor PEM when printed."""

    __slots__ = ("_key", "domain", "selector")

    def __init__(self, domain: str, selector: str, pem: bytes) -> None:
        """`domain` and `selector` become d= and s=; `pem` is an unencrypted RSA key of 2048 bits or more."""
        self.domain = domain
        self.selector = selector
        self._key = _parse(domain, selector, pem)

    @property
    def public_key(self) -> RSAPublicKey:
        """What a verifier would find in DNS."""
        return self._key.public_key()

    def sign(self, message: bytes, *, now: int, profile: str = "plain") -> bytes:
        """The DKIM-Signature field with its last CRLF. `now` is Unix seconds (t=); `profile` a key of REWRITTEN."""
        fields, body = split(message)
        names = _names(fields, profile)
        field = self._unsigned(names, _body_hash(message, body), now)
        signed = _signed_input(fields, names) + b"dkim-signature:" + relaxed_value(field.partition(b":")[2])
        value = base64.b64encode(self._key.sign(signed, _PADDING, _SHA256))
        return field + _fold_signature(value) + b"\r\n"

    def covers(self, name: str, profile: str = "plain") -> bool:
        """Whether our signature holds the field `name` (any case) when it leaves through a provider of `profile`."""
        return name.lower() in _profile_names(profile)

    def __repr__(self) -> str:
        return f"Signer({self.selector}._domainkey.{self.domain})"

    def _unsigned(self, names: tuple[str, ...], body_hash: str, now: int) -> bytes:
        # b= stands last and empty: what is hashed is then exactly what is sent without the signature (RFC 6376 3.7).
        return (
            f"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d={self.domain};\r\n"
            f"\ts={self.selector}; t={now};\r\n"
            f"\th={_fold_names(names)};\r\n"
            f"\tbh={body_hash};\r\n"
            f"\tb="
        ).encode("ascii")


def _body_hash(message: bytes, body: int) -> str:
    """bh= of the body that begins at offset `body`."""
    digest = hashlib.sha256()
    for piece in relaxed_pieces(message, body):
        digest.update(piece)
    return base64.b64encode(digest.digest()).decode()


def _parse(domain: str, selector: str, pem: bytes) -> RSAPrivateKey:
    where = f"DKIM key of {selector}._domainkey.{domain}"
    try:
        key = load_pem_private_key(pem, password=None, unsafe_skip_rsa_key_validation=True)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{where}: not an unencrypted PEM private key") from error
    if not isinstance(key, RSAPrivateKey):
        raise ValueError(f"{where}: not an RSA key; expected RSA of {MIN_BITS} bits or more (RFC 8301)")
    if key.key_size < MIN_BITS:
        raise ValueError(f"{where}: RSA of {key.key_size} bits; expected {MIN_BITS} or more (RFC 8301 3.2)")
    if not _fits_itself(key):
        raise ValueError(f"{where}: damaged; its numbers do not belong together")
    return key


def _fits_itself(key: RSAPrivateKey) -> bool:
    """RFC 8017 3.2, but that p and q are prime: testing that takes 30 ms a key, at each start of a worker."""
    n = key.private_numbers()
    public = n.public_numbers
    return (
        n.p * n.q == public.n
        and public.e * n.dmp1 % (n.p - 1) == 1
        and public.e * n.dmq1 % (n.q - 1) == 1
        and (n.d - n.dmp1) % (n.p - 1) == 0
        and (n.d - n.dmq1) % (n.q - 1) == 0
        and n.iqmp * n.q % n.p == 1
    )


@lru_cache(maxsize=16)
def _profile_names(profile: str) -> frozenset[str]:
    if profile not in REWRITTEN:
        raise ValueError(f"signing profile {profile!r}: expected one of {', '.join(sorted(REWRITTEN))}")
    return frozenset(SIGNED) - REWRITTEN[profile]


def _names(fields: Iterable[tuple[bytes, bytes]], profile: str) -> tuple[str, ...]:
    return _chosen(tuple(name for name, _ in fields if name in _COUNTED), profile)


@lru_cache(maxsize=256)  # a client's mails have the same fields in the same order
def _chosen(present: tuple[bytes, ...], profile: str) -> tuple[str, ...]:
    wanted = _profile_names(profile)
    once_more = (name for name in SIGNED if name in wanted for _ in range(present.count(name.encode()) + 1))
    return (*once_more, *(name for name in WHERE_PRESENT for _ in range(present.count(name.encode()))))


def _signed_input(fields: list[tuple[bytes, bytes]], names: tuple[str, ...]) -> bytes:
    """Instances are taken from the bottom up; a name without a further field adds nothing (RFC 6376 5.4.2)."""
    left: dict[bytes, list[bytes]] = {}
    for name, value in fields:
        left.setdefault(name, []).append(value)
    lines: list[bytes] = []
    for name in map(str.encode, names):
        if values := left.get(name):
            lines.append(name + b":" + relaxed_value(values.pop()) + b"\r\n")
    return b"".join(lines)


@lru_cache(maxsize=256)
def _fold_names(names: tuple[str, ...]) -> str:
    """h= with folding after colons, where RFC 6376 3.5 allows white space."""
    lines, line = [], "h="
    for index, name in enumerate(names):
        piece = name if index == len(names) - 1 else name + ":"
        if len(line) + len(piece) + 1 > _LINE:
            lines.append(line)
            line = ""
        line += piece
    return "\r\n\t".join([*lines, line]).removeprefix("h=")


def _fold_signature(value: bytes) -> bytes:
    first, rest = value[: _LINE - 3], value[_LINE - 3 :]
    pieces = [first, *(rest[i : i + _LINE - 1] for i in range(0, len(rest), _LINE - 1))]
    return b"\r\n\t".join(pieces)
