"""Where people live: Dutch postcodes with a house number, and streets with a number.

what:       addresses of houses as they are written on an envelope or in a column
takes→gives: text → (postcode and number, offset), (street and number, offset); cells → the same
knows not:  whether the place exists, who lives there
fails by:   nothing
standard:   NEN 5825 (postcode: four digits not beginning with 0, two capitals, never SA, SD or SS). Linear
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_POSTCODE = re.compile(
    r"(?<![\w.,€$£+-])(?<![€$£][ \u00a0])([1-9]\d{3})[ \u00a0]{0,2}((?!SA|SD|SS)[A-Z]{2})(?![\w€%/])"
)
_LOOSE = re.compile(r"\s*([1-9]\d{3})\s{0,2}([A-Za-z]{2})\b")
_NUMBER_AFTER = re.compile(
    r"[ \u00a0,]{1,3}(?:huisnr\.?|nr\.?|no\.?)?[ \u00a0]?"
    r"(\d{1,5})[ -]?([A-Za-z]{1,2}\b|\d{1,3}\b)?(?![\w.,:/-]?\d)(?!\w)"
)
_NUMBER_BEFORE = re.compile(r"(?<!\d)(\d{1,5})[ -]?([A-Za-z]{1,3}|\d{1,4})?[\s,;|/·•-]{1,6}\Z")
STREETS = ("straat", "laan", "weg", "plein", "gracht", "kade", "dijk", "singel", "dreef", "plantsoen", "steeg")
"""How names of Dutch streets end."""
_ENDINGS = f"(?:{'|'.join(STREETS)})"
_STREET = re.compile(
    rf"(?<![\w.'’-])((?:[A-Z][\w.'’-]{{0,40}}[ \u00a0]){{0,3}}"
    rf"(?:[A-Z][\w.'’-]{{0,40}}?{_ENDINGS}|(?<=[ \u00a0])(?i:{_ENDINGS})))"
    r"[ \u00a0](\d{1,5})[ -]?([a-zA-Z]{1,2}\b)?(?![\d:]|[.,]\d)"
)
_LAST = "".join(sorted({ending[-1] for ending in STREETS}))
_STREET_HINT = re.compile(rf"[ \u00a0]\d(?<=[{_LAST}{_LAST.upper()}]..)")
_WITH_NUMBER = re.compile(r"[^\W\d_].{0,60}?[ \u00a0]\d{1,5}\b|\b\d{1,5}[ ,]+[^\W\d_]")
_LOOK_BACK = 96
_HOUSE_MOST = 20
_GAPS = " \u00a0,;\t"
_STREET_MOST = 72
_LONGEST_ENDING = max(map(len, STREETS))


def postcodes(text: str) -> Iterator[tuple[str, int]]:
    """Postcodes with a house number beside them, as "1234AB 12A"; before it stands the street, or it follows."""
    for match in _POSTCODE.finditer(text):
        number = _NUMBER_AFTER.match(text, match.end(), match.end() + 24)
        if number is None:
            number = _number_before(text[max(0, match.start() - _LOOK_BACK) : match.start()])
        if number is not None:
            house = f"{number[1]}{(number[2] or '').upper()}"
            yield f"{match[1]}{match[2]} {house}", match.start()


def _number_before(before: str) -> re.Match[str] | None:
    """The number of the house, where the name of a street ends right before it."""
    number = _NUMBER_BEFORE.search(before, max(0, len(before) - _HOUSE_MOST))
    if number is None:
        return None
    words = before[: number.start()].rstrip(_GAPS)
    gap = number.start() - len(words)
    last = words.split()[-1:] or [""]
    # Two capitals alone are the letters of another postcode.
    named = last[0][:1].isalpha() and not (len(last[0]) == 2 and last[0].isupper()) and last[0].lower() != "postbus"
    return number if 0 < gap < 4 and named else None


def codes(text: str) -> Iterator[tuple[str, int]]:
    """Every postcode, below a heading that says what they are."""
    return ((match[1] + match[2], match.start()) for match in _POSTCODE.finditer(text))


def streets(text: str) -> Iterator[tuple[str, int]]:
    """Streets with a number whose name ends as Dutch streets do."""
    for number in street_numbers(text):
        for match in _STREET.finditer(text, max(0, number - _STREET_MOST), number + 9):
            if match.start(2) == number:
                yield street(match[0]), match.start()


def street_numbers(text: str) -> Iterator[int]:
    """Where a number begins behind a word that ends as streets do."""
    for hint in _STREET_HINT.finditer(text):
        space = hint.start()
        if text[max(0, space - _LONGEST_ENDING) : space].lower().endswith(STREETS):
            yield space + 1


def street(written: str) -> str:
    """One spelling of a street with its number."""
    return " ".join(written.split()).casefold()


def postcode_cell(text: str) -> str:
    """The postcode of a cell whose column holds them, also in small letters; a foreign one as it is written."""
    match = _LOOSE.match(text)
    if match is not None:
        return f"{match[1]}{match[2].upper()}"
    bare = text.strip()
    return bare.upper() if 3 < len(bare) < 11 and sum(c.isdigit() for c in bare) > 2 else ""


def street_cell(text: str) -> str:
    """The street of a cell whose column holds addresses."""
    return street(text) if len(text) < 200 and _WITH_NUMBER.search(text) else ""
