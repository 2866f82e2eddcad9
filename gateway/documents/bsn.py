"""Dutch citizen service numbers (BSN).

what:       nine digits that pass the eleven test, with a word for such a number near them
takes→gives: text → (number, offset); cell → number
knows not:  whether it was ever given to anybody
fails by:   nothing
standard:   Wet algemene bepalingen burgerservicenummer; the eleven test by python-stdnum. Linear

One in eleven numbers of nine digits passes the test, so that alone says nothing: an order number may pass too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stdnum.nl import bsn as _bsn

_CANDIDATE = re.compile(
    r"(?<![\w.,-])"
    r"(?:\d{9}|\d{4}[. ]\d{2}[. ]\d{3}|\d{3}[. ]\d{3}[. ]\d{3}|\d{3}[. ]\d{2}[. ]\d{2}[. ]\d{2})"
    r"(?!\w|[.,-]\d)"
)
# Begins with a letter, not with a boundary: so most of a text is passed over without a try.
_WORD = re.compile(
    r"[bscpo](?:(?<=\bb)sn\b|(?<=b)sn[- ]?(?:nummer|nr)|(?<=b)urger\s?service\s?n|(?<=\bs)ofi"
    r"|(?<=c)itizen service n|(?<=p)ersoonsgebonden n|(?<=o)nderwijsnummer)",
    re.IGNORECASE,
)
_BEFORE, _AFTER = 48, 24
_SEPARATORS = re.compile(r"[ .\u00a0]")


def bsns(text: str) -> Iterator[tuple[str, int]]:
    """Numbers in running text that a word close by calls so."""
    if not worded(text):
        return
    for match in _CANDIDATE.finditer(text):
        start, end = match.span()
        if _WORD.search(text, max(0, start - _BEFORE), end + _AFTER) and (number := canonical(match[0])):
            yield number, start


def numbers(text: str) -> Iterator[tuple[str, int]]:
    """Every number that passes the test, below a heading that says what they are."""
    return ((number, m.start()) for m in _CANDIDATE.finditer(text) if (number := canonical(m[0])))


def canonical(written: str) -> str:
    """Nine digits when they pass the test, else ""."""
    digits = _SEPARATORS.sub("", written.strip())
    if len(digits) not in (8, 9) or not digits.isascii() or not digits.isdigit() or len(set(digits)) < 2:
        return ""
    digits = digits.zfill(9)
    return digits if _bsn.is_valid(digits) else ""


def nine_digits(text: str) -> bool:
    """Whether a cell is nothing but nine digits."""
    return bool(_CANDIDATE.fullmatch(text.strip()))


def worded(text: str) -> bool:
    """Whether a word for such a number stands in it."""
    return _WORD.search(text) is not None
