"""Key escrow: every key and secret in one file that only a passphrase opens.

what:       AES-256-GCM under a key that scrypt makes of the passphrase; key check values beside it, in clear
takes→gives: files by name, passphrase → octets and back; octets and files → what differs
knows not:  folders, who keeps the passphrase
fails by:   `EscrowBroken`: not an escrow file, damaged, or another passphrase (these cannot be told apart)
standard:   NIST SP 800-38D; RFC 7914 (scrypt); docs/keys.md

The check values prove without the passphrase that an escrow still holds today's keys, so that a timer can look. They
are made only of keys, which have 256 random bits; passwords of providers have no such value, and are told apart by the
passphrase alone.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from gateway.config.keyring import key_check, key_lines

SHORTEST = 16  # characters of a passphrase
_MAGIC = "briefgeheim escrow 1"
_NONCE = 12
_COST = 2**17  # 128 MiB and about half a second: RFC 7914 with r = 8
_MOST = 2**20  # a damaged header must not make us ask for more memory than this
_KEYS = (".key", ".token", ".pseudonym", ".cases")


class EscrowBroken(Exception):
    """The file does not open. Says no more, so that it is no oracle."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One file that is not the same: `what` is missing here, missing in the escrow, other, or newer."""

    name: str
    what: str


def seal(files: Mapping[str, bytes], passphrase: str) -> bytes:
    """One file of three lines: header in JSON, which the seal covers, and the sealed files. Raises `ValueError`."""
    if len(passphrase) < SHORTEST:
        raise ValueError(f"passphrase: expected at least {SHORTEST} characters")
    salt, nonce = os.urandom(16), os.urandom(_NONCE)
    header = json.dumps(
        {
            "format": _MAGIC,
            "scrypt": {"salt": _text(salt), "n": _COST, "r": 8, "p": 1},
            "nonce": _text(nonce),
            "checks": {name: _checks(name, content) for name, content in files.items()},
        },
        sort_keys=True,
    ).encode()
    plain = json.dumps({name: _text(content) for name, content in files.items()}).encode()
    sealed = AESGCM(_derive(passphrase, salt, _COST, 8, 1)).encrypt(nonce, plain, header)
    return b"%b\n%b\n" % (header, base64.b64encode(sealed))


def unseal(octets: bytes, passphrase: str) -> dict[str, bytes]:
    """The files by name. Raises `EscrowBroken`."""
    header, sealed = _parts(octets)
    try:
        found = json.loads(header)
        cost = found["scrypt"]
        if not 2 <= cost["n"] <= _MOST or (cost["r"], cost["p"]) != (8, 1):
            raise EscrowBroken("not an escrow file, or damaged")
        key = _derive(passphrase, _octets(cost["salt"]), cost["n"], cost["r"], cost["p"])
        plain = AESGCM(key).decrypt(_octets(found["nonce"]), sealed, header)
    except (InvalidTag, ValueError, KeyError, TypeError):
        raise EscrowBroken("another passphrase, or the file is damaged") from None
    return {name: _octets(content) for name, content in json.loads(plain).items()}


def differences(octets: bytes, files: Mapping[str, bytes]) -> list[Difference]:
    """What the clear part tells without a passphrase, about the keys among `files`. Raises `EscrowBroken`."""
    kept = checks_of(octets)
    return list(_compare(kept, {name: _checks(name, content) for name, content in files.items()}))


def checks_of(octets: bytes) -> dict[str, list[str]]:
    """Key check values by file, one per key; empty for files that are no keys. Raises `EscrowBroken`."""
    try:
        found = json.loads(_parts(octets)[0])
        return {str(name): [str(value) for value in values] for name, values in found["checks"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise EscrowBroken("not an escrow file, or damaged") from None


def _compare(kept: Mapping[str, list[str]], here: Mapping[str, list[str]]) -> Iterator[Difference]:
    for name in sorted(kept.keys() | here.keys()):
        if name not in here:
            yield Difference(name, "missing here")
        elif name not in kept:
            yield Difference(name, "missing in the escrow")
        elif set(here[name]) - set(kept[name]):
            more = set(kept[name]) <= set(here[name])
            yield Difference(name, "has a newer key than the escrow" if more else "holds other keys than the escrow")


def _checks(name: str, content: bytes) -> list[str]:
    if not name.endswith(_KEYS):
        return []
    return [key_check(name, line) for line in key_lines(content)]


def _parts(octets: bytes) -> tuple[bytes, bytes]:
    header, _, rest = octets.partition(b"\n")
    if _MAGIC.encode() not in header:
        raise EscrowBroken("not an escrow file, or damaged")
    try:
        sealed = base64.b64decode(rest.removesuffix(b"\n"), validate=True)
    except ValueError:
        sealed = b""
    if b"%b\n" % base64.b64encode(sealed) != rest:  # also another spelling of the same octets
        raise EscrowBroken("not an escrow file, or damaged")
    return header, sealed


def _derive(passphrase: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return Scrypt(salt=salt, length=32, n=n, r=r, p=p).derive(passphrase.encode())


def _text(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


def _octets(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
