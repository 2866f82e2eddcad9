"""Opt-out tokens: stateless, authenticated, constant length, without an address (DESIGN §4, Tokens).

what:       AES-SIV over organisation, pseudonym and its layer, scope, day, message reference
takes→gives: `OptOut` → URL-safe text of `TOKEN_LENGTH` characters, and back
knows not:  URLs, storage, whether the person exists
fails by:   `InvalidToken`, the same for every cause
standard:   RFC 8058 3.1 and 6, RFC 5297; R-069, R-070
"""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from gateway.facts import Scope, ScopeKind
from gateway.pseudonym import SIZE

_PURPOSE = b"briefgeheim opt-out 1"
# organisation, pseudonym layer, pseudonym, scope kind, scope id, day since 1970, message reference
_PAYLOAD = struct.Struct(f">HB{SIZE}sBIHI")
_SIV = 16
TOKEN_LENGTH = 4 * ((1 + _SIV + _PAYLOAD.size + 2) // 3)
assert (1 + _SIV + _PAYLOAD.size) % 3 == 0, "no base64 padding: the length must divide by 3"


PROBE = 0
"""Message reference of a link that belongs to no mail: the daily probe's, which counts nowhere (L-31)."""


class InvalidToken(ValueError):
    """Not a token of this organisation and key set. Says no more, so that it is no oracle."""


@dataclass(frozen=True, slots=True)
class OptOut:
    """What a link does: block `pseudonym` (32 octets, of `layer`) of `organisation` (numeric id) for `scope`.

    `day` is days since 1970-01-01 UTC of the mail; `message` its 32-bit reference.
    """

    organisation: int
    pseudonym: bytes
    layer: int
    scope: Scope
    day: int
    message: int

    def __post_init__(self) -> None:
        # struct would cut or pad a pseudonym of another length without a word, and a block would miss its person
        if len(self.pseudonym) != SIZE:
            raise ValueError(f"pseudonym of {len(self.pseudonym)} octets, expected {SIZE}")
        if not (0 <= self.organisation < 2**16 and 0 <= self.layer < 2**8 and 0 <= self.message < 2**32):
            raise ValueError("organisation, layer or message reference does not fit a token")
        if not 0 <= self.day < 2**16:
            raise ValueError("day does not fit a token (1970 to 2149)")


@dataclass(frozen=True, slots=True)
class TokenKeys:
    """AES-SIV keys of one organisation by key id (1..255); the highest signs, all verify for years."""

    keys: Mapping[int, bytes]

    def __post_init__(self) -> None:
        if not self.keys or any(not 1 <= i <= 255 or len(k) not in (32, 48, 64) for i, k in self.keys.items()):
            raise ValueError("token keys: at least one, ids 1..255, 32, 48 or 64 octets each")

    def seal(self, opt_out: OptOut) -> str:
        """Token text, URL-safe, of constant length."""
        key_id = max(self.keys)
        payload = _PAYLOAD.pack(
            opt_out.organisation,
            opt_out.layer,
            opt_out.pseudonym,
            opt_out.scope.kind,
            opt_out.scope.id,
            opt_out.day,
            opt_out.message,
        )
        sealed = _cipher(self.keys[key_id]).encrypt(payload, [_PURPOSE])
        return base64.urlsafe_b64encode(bytes([key_id]) + sealed).decode()

    def open(self, token: str) -> OptOut:
        """Verify and read a token. Raises `InvalidToken`."""
        try:
            if len(token) != TOKEN_LENGTH or "+" in token or "/" in token:  # Python takes both alphabets at once
                raise InvalidToken("not a valid token")
            blob = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
            plain = _cipher(self.keys[blob[0]]).decrypt(blob[1:], [_PURPOSE])
            organisation, layer, pseudonym, kind, scope_id, day, message = _PAYLOAD.unpack(plain)
            return OptOut(organisation, pseudonym, layer, Scope(ScopeKind(kind), scope_id), day, message)
        except (InvalidTag, KeyError, IndexError, ValueError, UnicodeEncodeError, binascii.Error, struct.error):
            raise InvalidToken("not a valid token") from None


@lru_cache(maxsize=256)
def _cipher(key: bytes) -> AESSIV:
    return AESSIV(key)
