"""Text for header fields in ASCII: encoded words and extended parameters.

what:       RFC 2047 words and RFC 2231 parameters, always UTF-8, never a character in two pieces
takes→gives: text → list of words; name + text → parameters
knows not:  fields, folding
fails by:   nothing
standard:   RFC 2047 2 and 5, RFC 2231 3 and 4; R-039, R-040
"""

from __future__ import annotations

import binascii
from collections.abc import Callable

MOST = 75  # octets of one encoded word (RFC 2047 2)
LINE = 76  # octets of a line that holds one
_FRAME = len("=?utf-8?q??=")
_CHARACTER = 4  # octets of the longest one in UTF-8
LEAST = _FRAME + 3 * _CHARACTER  # a word with room for any character
# What may stand as it is in a phrase (RFC 2047 5.3), and so anywhere.
_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")
_ATTRIBUTE = _PLAIN - frozenset(b"*/") | frozenset(b"#$&.^_`|~")  # RFC 2231 7, attribute-char
_PARAMETER = 60  # octets of one segment's value


def encoded_words(text: str, *, first: int = MOST, most: int = MOST) -> list[bytes]:
    """`text` as encoded words; white space between them says nothing.

    The first has at most `first` octets, the others `most` (each at least `LEAST`).
    Q, which people can read, where B is not much shorter.
    """
    octets = text.encode("utf-8", "replace")
    if _q_room(octets, 0) * 3 <= _b_room(octets, 0) * 4:
        return [b"=?utf-8?q?%s?=" % _q(piece) for piece in _pieces(text, first, most, _q_room)]
    return [b"=?utf-8?b?%s?=" % _b(piece) for piece in _pieces(text, first, most, _b_room)]


def _pieces(text: str, first: int, most: int, fits: Callable[[bytes, int], int]) -> list[bytes]:
    """Runs of whole characters, each as long as its word may be."""
    pieces: list[bytes] = []
    current = bytearray()
    used, room = 0, first - _FRAME
    for character in text:
        octets = character.encode("utf-8", "replace")
        width = fits(octets, len(current))
        if current and used + width > room:
            pieces.append(bytes(current))
            current.clear()
            used, room, width = 0, most - _FRAME, fits(octets, 0)
        current += octets
        used += width
    return [*pieces, bytes(current)] if current else pieces


def _q_room(octets: bytes, _before: int) -> int:
    return sum(1 if octet in _PLAIN or octet == 32 else 3 for octet in octets)


def _b_room(octets: bytes, before: int) -> int:
    """What these octets add to base64 of `before` octets."""
    return 4 * (-(-(before + len(octets)) // 3) - -(-before // 3))


def _q(octets: bytes) -> bytes:
    return b"".join(_Q[octet] for octet in octets)


def _b(octets: bytes) -> bytes:
    return binascii.b2a_base64(octets, newline=False)


_Q = [bytes([o]) if o in _PLAIN else b"_" if o == 32 else b"=%02X" % o for o in range(256)]
_PERCENT = [bytes([o]) if o in _ATTRIBUTE else b"%%%02X" % o for o in range(256)]


def extended(name: bytes, text: str) -> list[bytes]:
    """The parameter `name` with this value in the extended form: one, or segments that each fit on a line."""
    runs: list[bytes] = [b""]
    for character in text:
        written = b"".join(_PERCENT[octet] for octet in character.encode("utf-8", "replace"))
        if len(runs[-1]) + len(written) > _PARAMETER - len(name):
            runs.append(b"")
        runs[-1] += written
    runs = [run for run in runs if run] or [b""]
    if len(runs) == 1:
        return [name + b"*=utf-8''" + runs[0]]
    return [b"%s*%d*=%s%s" % (name, n, b"" if n else b"utf-8''", run) for n, run in enumerate(runs)]
