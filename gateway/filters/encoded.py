"""Addresses written so that people do not see them: base64 and hexadecimal words, and return paths.

what:       base64 and hex words that are ASCII with an "@" in it; `name=domain` inside a local part (VERP, SRS)
takes→gives: text → what such words say, as text; a local part → the addresses in it
knows not:  where the text stood, whose address it is
fails by:   nothing
standard:   RFC 4648 4, 5 and 8; I-1, R-030. Linear: one pass, and words of ASCII only are decoded
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from itertools import pairwise

from gateway.address import Address

# What four characters of base64 are when the three octets behind them are printable ASCII: each of the first three is
# one of half the alphabet or less, so words of other kinds end the match within a few characters.
_QUAD = "[I-Za-f][A-HQ-Xg-nw-z0-3][ABEFIJMNQRUVYZcdghklopstwx014589][A-Za-z0-9]"
_BASE64 = re.compile(f"(?:{_QUAD}){{2,}}[A-Za-z0-9]{{0,3}}")
_HEX = re.compile("(?:[2-7][0-9A-Fa-f]){6,}")
_WORD = re.compile("[I-Za-f2-7][A-Za-z0-9]{7,}")  # first what is cheap: how both begin, and their alphabet
_LONGEST = 4000
_PRINTABLE = re.compile(rb"[\t\n\r -~]+")
_PLACE = re.compile(r"([^\s@=]{1,200}\.[A-Za-z][A-Za-z0-9-]{1,30}?)(?:[-+_][^.]*)?")
_PREFIX = re.compile(r"[-+_.]")
_MOST = 8


def revealed(text: str) -> str:
    """What the encoded words of `text` with an "@" inside say, one per line; "" when there is none."""
    said = [plain for word in _WORD.findall(text) if "@" in (plain := _plain(word))]
    return "\n".join(said)


def _plain(word: str) -> str:
    if _BASE64.fullmatch(word):
        raw = word[:_LONGEST]
        missing = -len(raw) % 4
        return _ascii(binascii.a2b_base64(raw + "=" * missing) if missing < 3 else b"")
    return _ascii(bytes.fromhex(word[: len(word) // 2 * 2][:_LONGEST])) if _HEX.fullmatch(word) else ""


def _ascii(octets: bytes) -> str:
    return octets.decode("ascii") if _PRINTABLE.fullmatch(octets) else ""


def embedded(local: str) -> Iterator[Address]:
    """Addresses that a return path carries: `bounce-7+anna=example.org` and `SRS0=x=y=example.org=anna`."""
    for left, right in pairwise(local.split("=")[-_MOST:]):
        if (place := _PLACE.fullmatch(right)) is not None:
            yield from (Address(name, place[1]) for name in _names(left))
        if right and _PLACE.fullmatch(left) is not None:
            yield Address(right, left)


def _names(left: str) -> Iterator[str]:
    """The likeliest owner is what follows a prefix, but names hold dashes too."""
    starts = [0, *(sign.end() for sign in _PREFIX.finditer(left))][-_MOST:]
    return (name for start in starts if (name := left[start:]))
