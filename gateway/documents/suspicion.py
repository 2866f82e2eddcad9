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
from itertools import islice

from gateway.documents.postcodes import STREETS, street_numbers
from gateway.message.html import unescape

_TAGS = re.compile(r"<[^<>]*>")
_MAIL = re.compile(r"@([\w-]+(?:\.[\w-]+)+)")
_RUN = re.compile("[0-9][0-9 \u00a0().\u2009/\u2010-\u2013-]{3,}")
_LETTERS = re.compile(r"[ \u00a0]{0,2}[A-Z]{2}\b")
_NUMBER_WORDS = ("bsn", "burger", "sofi", "citizen service", "persoonsgebonden", "onderwijsnummer")
_BIRTHS = ("gebor", "geboorte", "birth", "born", "dob", "d.o.b", "do.b", "d.ob")
_BORN = re.compile(r"geb\b")
_HEADINGS = (
    "mail", "telefo", "phone", "mobiel", "mobile", "tel", "gsm", "fax", "whatsapp", "postcode", "post code", "zip",
    "adres", "address", "straat", "street",
)  # fmt: skip
_NAMES = (
    "naam", "name", "deelnemer", "cursist", "student", "leerling", "persoon", "medewerker", "klant", "leden", "lid",
    "participant", "attendee", "guest", "ouder", "contact", "relatie", "docent", "patient", "client", "cliënt",
    "customer", "employee", "member", "initialen", "voorletters",
)  # fmt: skip
_SHORTEST = 7  # digits of a number; a cell may have lost its first zero
_LEAST_DIGITS = 4  # of any value but an address
_TAIL = 9  # digits by which two spellings of one number are the same
_BSN_DIGITS = 8


@dataclass(frozen=True, slots=True)
class Known:
    """Whose data does not count: domains, the last nine digits of numbers, postcodes without space."""

    domains: Set[str]
    numbers: Set[str]
    postcodes: Set[str]


def suspicious(text: str, least: int, known: Known, *, headed: bool) -> bool:
    """Whether at least `least` values of one kind could stand in it, or any BSN.

    `headed`: one value already counts below a heading, so the words of a heading are enough.
    """
    if "&#" in text:
        text = unescape(text)
    plain = _TAGS.sub(" ", text) if "<" in text else text
    digits = sum(map(plain.count, "0123456789"))
    mails = text.count("@")  # also behind links
    if not digits and not mails:
        return False
    low = plain.lower()
    if digits >= _BSN_DIGITS and _mentions(low, _NUMBER_WORDS):
        return True
    if mails < least and digits < least * _LEAST_DIGITS and not headed:
        return digits >= least and sum(low.count(street) for street in STREETS) >= least
    others = _others(text, known, least) if mails else 0
    births = _mentions(low, _BIRTHS) or _BORN.search(low) is not None
    most = max(others, *_counts(plain, known, least, dates=births)) if digits and others < least else others
    if most >= least:
        return True
    return headed and most > 0 and (births or _mentions(low, _HEADINGS)) and _mentions(low, _NAMES)


def _others(text: str, known: Known, least: int) -> int:
    """Addresses of others, counted up to `least`."""
    found = (m for m in _MAIL.finditer(text) if m[1].lower() not in known.domains)
    return sum(1 for _ in islice(found, least))


def _mentions(low: str, words: tuple[str, ...]) -> bool:
    return any(word in low for word in words)


def _counts(plain: str, known: Known, least: int, *, dates: bool) -> tuple[int, int, int]:
    """Numbers (and dates), postcodes, streets that are not known; equal ones once, each kind up to `least`."""
    shortest = _LEAST_DIGITS if dates else _SHORTEST
    numbers, codes, more = set[str](), set[str](), 0
    for match in _RUN.finditer(plain):
        run, start = match[0].rstrip(" \u00a0"), match.start()
        if len(run) >= shortest:
            digits = "".join(filter(str.isdigit, run))
            if len(digits) >= shortest and (tail := digits[-_TAIL:]) not in known.numbers:
                numbers.add(tail)
            more += max(0, len(digits) // _BSN_DIGITS - 1)  # several with nothing but spaces between them
        if run[-_LEAST_DIGITS:].isdigit() and (letters := _LETTERS.match(plain, start + len(run))):
            codes.add(run[-_LEAST_DIGITS:] + letters[0].strip(" \u00a0"))
        if len(numbers) + more >= least:
            break
    streets = sum(1 for _ in islice(street_numbers(plain), least))
    return len(numbers) + more, len(codes - known.postcodes), streets
