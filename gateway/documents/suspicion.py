"""Whether a text of a mail could hold more personal data than its rules allow, told in passing.

what:       a cheap look that ordinary mail does not get past: few numbers, few addresses, no list
takes→gives: text, how many values of a kind matter, whose do not count → whether to inspect it
knows not:  settings, mails; it may say yes for nothing, never no for something
fails by:   nothing
standard:   S-11, S-53. Linear; tens of microseconds for an ordinary mail
"""

from __future__ import annotations

import re
from collections.abc import Set
from dataclasses import dataclass

from gateway.documents import bsn

_TAGS = re.compile(r"<(?:style|script)\b[^>]*>[^<]*|<[^<>]*>")
_HIDDEN = re.compile(r"[a-z]@|mailto:|tel:|href=", re.IGNORECASE)
_MAIL = re.compile(r"@([\w-]+(?:\.[\w-]+)+)")
_NUMBER = re.compile(r"\d(?:[ \u00a0().\-/\u2010-\u2013]{0,3}\d){6,14}")
_POSTCODE = re.compile(r"\b[1-9]\d{3}[ \u00a0]{0,2}[A-Z]{2}\b")
_STREET = re.compile(r"(?:straat|laan|weg|plein|gracht|kade|dijk|singel|dreef|plantsoen|steeg)[ \u00a0]\d")
_NINE = re.compile(r"\d{3,4}[. ]?\d{2,3}[. ]?\d{2,3}")
_HEADING = re.compile(
    r"e-?mail|mailadres|telefo|phone|mobie?l|\b(?:tel|gsm|mob|fax)\b|post\s?code|adres|address|geboorte|\bgeb\b|birth|\bbsn",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"\D")
_TAIL = 9  # digits by which two spellings of one number are the same


@dataclass(frozen=True, slots=True)
class Known:
    """Whose data does not count: domains, the last nine digits of numbers, postcodes without space."""

    domains: Set[str]
    numbers: Set[str]
    postcodes: Set[str]


def suspicious(text: str, least: int, known: Known, *, headed: bool) -> bool:
    """Whether at least `least` values of one kind could stand in it, or any BSN.

    `headed`: one value already counts below a heading, so two different words of headings are enough.
    """
    if "@" not in text and not any(map(str.isdigit, text)):
        return False
    plain = _TAGS.sub(" ", text) if "<" in text else text
    found = _counts(text, plain, known)
    if max(found) >= least:
        return True
    if bsn.worded(plain) and _NINE.search(plain):
        return True
    return headed and any(found) and len({m[0].casefold() for m in _HEADING.finditer(plain)}) > 1


def _counts(text: str, plain: str, known: Known) -> tuple[int, int, int, int]:
    mails = sum(1 for m in _MAIL.finditer(text) if m[1].lower() not in known.domains) if "@" in text else 0
    numbers = {_DIGITS.sub("", m)[-_TAIL:] for m in _NUMBER.findall(plain)} - known.numbers
    postcodes = {m.replace(" ", "").replace("\u00a0", "") for m in _POSTCODE.findall(plain)} - known.postcodes
    return mails, len(numbers), len(postcodes), len(_STREET.findall(plain))
