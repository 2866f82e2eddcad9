"""Telephone numbers of people: Dutch ones as they are written, others with their country code.

what:       numbers that a numbering plan knows and a person can have
takes→gives: text → (E.164 number, offset); a cell of a column of numbers → E.164 number
knows not:  whose number it is
fails by:   nothing
standard:   ITU-T E.164; the Dutch numbering plan (Nummerplan telefoon- en ISDN-diensten). Linear

Left alone: account, order, tracking and VAT numbers, dates, free and service numbers, bare digits without a word such
as "tel" before them (a Dutch mobile number is known by its 06).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumberType

_GAP = r"[ \u00a0\u2009./\u2010-\u2013-]"
_BEFORE = r"(?<![\w@/=&#%_+-])(?<!\d[.,:])"
_CANDIDATE = re.compile(
    rf"{_BEFORE}(?:"
    rf"(?P<foreign>(?:\+|00)[1-9]\d{{0,2}}(?:[ \u00a0./()\u2010-\u2013-]{{0,3}}\d){{6,13}})"
    rf"|(?P<mobile>\(?06\)?{_GAP}{{0,3}}[1-9](?:{_GAP}?\d){{7}})"
    rf"|(?P<fixed>\(?0[1-9]\d{{1,2}}\)?{_GAP}{{1,3}}\d{{2,7}}(?:{_GAP}\d{{2,4}}){{0,3}})"
    rf"|(?P<bare>0[1-9]\d{{8}})"
    rf")(?![\w@%]|[-/]\d|[.,]\d)"
)
_DATE = re.compile(r"\d{2}([-./ ])\d{2}\1(?:19|20)\d{2}(?!\d)")
_SAID = re.compile(
    r"(?:\btel|telefoon|phone|mobiel|mobile|\bmob|\bgsm|\bfax|\bbel|\bcall|\b[tm]\b)[\w .()]{0,20}[:.]?\s{0,3}\Z",
    re.IGNORECASE,
)
_ACCOUNT = re.compile(r"\b[A-Z]{2}\d{2}[ ]?[A-Z]{4}(?:[ ]?\d{1,4}){0,4}[ ]?\Z")
_DIGITS = re.compile(r"\D")
_LOOK_BACK = 32
_PEOPLE = frozenset(
    {
        PhoneNumberType.FIXED_LINE,
        PhoneNumberType.MOBILE,
        PhoneNumberType.FIXED_LINE_OR_MOBILE,
        PhoneNumberType.VOIP,
        PhoneNumberType.PERSONAL_NUMBER,
    }
)


def phones(text: str, *, stated: bool = False) -> Iterator[tuple[str, int]]:
    """Numbers in running text. `stated`: what surrounds the text already says that it holds such numbers."""
    for match in _CANDIDATE.finditer(text):
        if _other_number(text, match, stated=stated):
            continue
        number = canonical(match[0])
        if number:
            yield number, match.start()


def _other_number(text: str, match: re.Match[str], *, stated: bool) -> bool:
    before = text[max(0, match.start() - _LOOK_BACK) : match.start()]
    if match["bare"] and not match[0].startswith("06") and not stated and not _SAID.search(before):
        return True
    return bool(_DATE.match(match[0]) or _ACCOUNT.search(before))


def canonical(written: str) -> str:
    """E.164 of one written number ("" when no person has it). A number without country code is Dutch."""
    plus = written.lstrip(" (").startswith(("+", "00"))
    digits = _DIGITS.sub("", written.replace("(0)", "") if plus else written)
    return _e164("+" + digits.removeprefix("00") if plus else digits)


def cell(text: str) -> str:
    """The number of a cell whose column holds numbers; a spreadsheet may have eaten the first zero."""
    found = next((number for number, _ in phones(text, stated=True)), "")
    digits = _DIGITS.sub("", text)
    if found or len(text) > 40 or sum(c.isalpha() for c in text) > 4 or not 8 <= len(digits) <= 15:
        return found
    spellings = [text, f"0{digits}", f"+{digits}"] if len(digits) == 9 else [text, f"+{digits}"]
    return next((number for each in spellings if (number := canonical(each))), "")


@lru_cache(maxsize=8192)
def _e164(written: str) -> str:
    try:
        number = phonenumbers.parse(written, "NL")
    except phonenumbers.NumberParseException:
        return ""
    if phonenumbers.number_type(number) not in _PEOPLE:
        return ""
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
