"""Whether octets are nothing but lines of base64 of one width: of those, most questions about lines are answered.

what:       `lines`, for a stretch of a large attachment, at a fraction of what counting line ends costs; `stretches`
takes→gives: octets → how many CR LF they hold, 0 for anything else
knows not:  MIME, whether somebody meant base64, what is asked about the lines
fails by:   nothing: 0 means "look for yourself"
standard:   RFC 2045 6.8; DESIGN §6 (attachments)
"""

from __future__ import annotations

from collections.abc import Iterator

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_WIDEST = 998  # octets of a line without CR LF (RFC 5322 2.1.1)
STRETCH = 1 << 16
"""Octets worth looking at together: few calls, and what was read once is still near."""


def lines(octets: bytes) -> int:
    """How many CR LF there are, when every line is base64 of one width: no bare CR or LF, no NUL, space, dot, hyphen
    or long line is in it, and only its first and last line may be shorter. Else 0.
    """
    first = octets.find(b"\r", 0, _WIDEST + 1)
    width = octets.find(b"\r", first + 1, first + _WIDEST + 3) - first
    if first < 0 or width < 3:
        return 0
    number = (len(octets) - first - 1) // width + 1
    # Line ends where they should be, first: text of people, with lines of any length, is told from it at once.
    if octets[first::width] != b"\r" * number or octets[first + 1 :: width] != b"\n" * number:
        return 0
    return number if octets.translate(None, _ALPHABET) == b"\r\n" * number else 0


def stretches(octets: bytes, start: int = 0) -> Iterator[bytes]:
    """`octets[start:]` in pieces of about `STRETCH`, each but the last with CR LF at its end."""
    while start < len(octets):
        end = octets.find(b"\r\n", max(start, start + STRETCH - 2))
        piece = octets[start : end + 2] if end >= 0 else octets[start:]
        start += len(piece)
        yield piece
